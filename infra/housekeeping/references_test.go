package housekeeping

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

var substituted = regexp.MustCompile(`\$\{([^}!]+)\}`)

// cfn-lint and sam validate let a !Ref to nothing pass in a template of SAM's; only a deployment would find it.
func TestTheTemplateRefersOnlyToWhatItHas(t *testing.T) {
	data, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	root := document.Content[0]
	things, conditions := map[string]bool{}, map[string]bool{}
	for section, into := range map[string]map[string]bool{"Parameters": things, "Resources": things, "Conditions": conditions} {
		for i := 0; i < len(child(root, section).Content); i += 2 {
			into[child(root, section).Content[i].Value] = true
		}
	}
	seen := 0
	refer := func(n *yaml.Node, known map[string]bool, name string) {
		seen++
		if !known[name] && !strings.HasPrefix(name, "AWS::") {
			t.Errorf("template.yaml:%d: there is no %q", n.Line, name)
		}
	}
	eachTagged(root, func(n *yaml.Node) {
		name, _, _ := strings.Cut(n.Value, ".")
		switch n.Tag {
		case "!Ref", "!GetAtt":
			refer(n, things, name)
		case "!Sub":
			for _, of := range substituted.FindAllStringSubmatch(n.Value, -1) {
				name, _, _ := strings.Cut(of[1], ".")
				refer(n, things, name)
			}
		case "!If":
			refer(n, conditions, n.Content[0].Value)
		}
	})
	if seen < 200 {
		t.Errorf("only %d references were seen", seen)
	}
}

func eachTagged(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, c := range n.Content {
		eachTagged(c, visit)
	}
}
