package housekeeping

import (
	"os"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/sam"
)

func loadTemplate(t *testing.T) sam.Template {
	t.Helper()
	loaded, err := sam.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestTheTemplateHasEveryFunctionAndNoOther(t *testing.T) {
	folders, err := os.ReadDir("../../functions")
	if err != nil {
		t.Fatal(err)
	}
	functions := loadTemplate(t).Functions
	for _, f := range folders {
		if _, ok := functions[f.Name()]; !ok {
			t.Errorf("functions/%s isn't in template.yaml", f.Name())
		}
	}
	if len(functions) != len(folders) {
		t.Errorf("template.yaml has %d functions, functions/ has %d", len(functions), len(folders))
	}
}

func TestParametersSayWhatTheyTake(t *testing.T) {
	for name, p := range loadTemplate(t).Parameters {
		if p.Description == "" {
			t.Errorf("%s has no description", name)
		}
		bounded := p.AllowedPattern != "" || p.AllowedValues != nil || p.MinValue != "" && p.MaxValue != ""
		if !bounded {
			t.Errorf("%s takes anything", name)
		}
	}
}

// SAM writes one statement a route into the function's resource policy, of some 430 bytes; Lambda takes 20 KB.
func TestRoutesFitTheResourcePolicy(t *testing.T) {
	const most = 45
	for name, f := range loadTemplate(t).Functions {
		if n := len(f.Routes()); n > most {
			t.Errorf("%s has %d routes; a resource policy holds %d", name, n, most)
		}
	}
}

// samconfig.toml may only override parameters that there are.
func TestSamconfigOverridesParametersThatThereAre(t *testing.T) {
	parameters := loadTemplate(t).Parameters
	seen := 0
	for line := range strings.Lines(string(read(t, "samconfig.toml"))) {
		value, found := strings.CutPrefix(strings.TrimSpace(line), "parameter_overrides = ")
		if !found {
			continue
		}
		seen++
		for _, pair := range strings.Fields(strings.Trim(value, `"`)) {
			name, _, _ := strings.Cut(pair, "=")
			if _, ok := parameters[name]; !ok {
				t.Errorf("samconfig.toml sets %s, which template.yaml doesn't have", name)
			}
		}
	}
	if seen != 3 {
		t.Errorf("samconfig.toml has %d installations, not dev, staging and prod", seen)
	}
}
