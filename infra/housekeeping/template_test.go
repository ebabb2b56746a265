package housekeeping

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// template is what the tests read of template.yaml.
type template struct {
	Parameters map[string]struct {
		Type           string   `yaml:"Type"`
		Description    string   `yaml:"Description"`
		AllowedPattern string   `yaml:"AllowedPattern"`
		AllowedValues  []string `yaml:"AllowedValues"`
		MinValue       string   `yaml:"MinValue"`
		MaxValue       string   `yaml:"MaxValue"`
	} `yaml:"Parameters"`
	Resources map[string]resource  `yaml:"Resources"`
	Outputs   map[string]yaml.Node `yaml:"Outputs"`
}

type resource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Policies []string         `yaml:"Policies"` // names of the template's managed policies
		Events   map[string]event `yaml:"Events"`
	} `yaml:"Properties"`
}

// event is what a function runs for.
type event struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Method string `yaml:"Method"`
		Path   string `yaml:"Path"`
		Input  string `yaml:"Input"`
	} `yaml:"Properties"`
}

func loadTemplate(t *testing.T) template {
	t.Helper()
	var loaded template
	if err := yaml.Unmarshal(read(t, "template.yaml"), &loaded); err != nil {
		t.Fatal(err)
	}
	return loaded
}

// functions are the template's functions by the name of their folder.
func (t template) functions() map[string]resource {
	found := map[string]resource{}
	for name, r := range t.Resources {
		if r.Type == "AWS::Serverless::Function" {
			found[strings.ToLower(name)] = r
		}
	}
	return found
}

// routes are the routes of a function, as net/http's mux writes them. The gateway's own default route isn't one.
func (r resource) routes() []string {
	var routes []string
	for _, e := range r.Properties.Events {
		if e.Type == "HttpApi" && e.Properties.Path != "" {
			routes = append(routes, e.Properties.Method+" "+e.Properties.Path)
		}
	}
	return routes
}

func (r resource) hasDefaultRoute() bool {
	for _, e := range r.Properties.Events {
		if e.Type == "HttpApi" && e.Properties.Path == "" {
			return true
		}
	}
	return false
}

func TestTheTemplateHasEveryFunctionAndNoOther(t *testing.T) {
	folders, err := os.ReadDir("../../functions")
	if err != nil {
		t.Fatal(err)
	}
	functions := loadTemplate(t).functions()
	for _, f := range folders {
		if _, ok := functions[f.Name()]; !ok {
			t.Errorf("functions/%s isn't in template.yaml", f.Name())
		}
	}
	if len(functions) != len(folders) {
		t.Errorf("template.yaml has %d functions, functions/ has %d", len(functions), len(folders))
	}
}

// A function gets no right that its doc.go doesn't speak of.
func TestRightsAreCutAsTheFunctionsAre(t *testing.T) {
	const (
		read, write, wake  = "MayReadTable", "MayWriteTable", "MayWake"
		readKey, writeKeys = "MayReadSecrets", "MayWriteSecrets"
	)
	may := map[string][]string{
		"front":       nil,
		"books":       {read},
		"assignments": {read, write, wake},
		"directory":   {read, write, wake},
		"schedule":    {read, write, wake},
		"tokens":      {read, write, wake, readKey, writeKeys},
		"work":        {read, write, wake, readKey},
	}
	for name, f := range loadTemplate(t).functions() {
		if !slices.Equal(f.Properties.Policies, may[name]) {
			t.Errorf("%s has the rights %v, not %v", name, f.Properties.Policies, may[name])
		}
	}
}

func TestNobodyMayScanTheTable(t *testing.T) {
	if bytes.Contains(read(t, "template.yaml"), []byte("dynamodb:Scan")) {
		t.Error("template.yaml lets somebody scan")
	}
}

func TestParametersSayWhatTheyTake(t *testing.T) {
	for name, p := range loadTemplate(t).Parameters {
		if p.Description == "" {
			t.Errorf("%s has no description", name)
		}
		bounded := p.AllowedPattern != "" || p.AllowedValues != nil || p.MinValue != "" && p.MaxValue != ""
		if !bounded && p.Type != "CommaDelimitedList" {
			t.Errorf("%s takes anything", name)
		}
	}
}

// SAM writes one statement a route into the function's resource policy, of some 430 bytes; Lambda takes 20 KB.
func TestRoutesFitTheResourcePolicy(t *testing.T) {
	const most = 45
	for name, f := range loadTemplate(t).functions() {
		if n := len(f.routes()); n > most {
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
