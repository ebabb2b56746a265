package sam

import (
	"errors"
	"strings"

	"gopkg.in/yaml.v3"
)

// Value is a text of the template's, or one of the functions that make one.
type Value struct {
	Function string // "!Ref", "!Sub", "!GetAtt"; empty for a text
	Text     string
}

// UnmarshalYAML is yaml's.
func (v *Value) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return errors.New("a value that isn't written as one text")
	}
	v.Text = node.Value
	if !strings.HasPrefix(node.Tag, "!!") {
		v.Function = node.Tag
	}
	return nil
}

// Statement is one of a policy's.
type Statement struct {
	Effect    string         `yaml:"Effect"`
	Actions   list[string]   `yaml:"Action"`
	Resources list[Value]    `yaml:"Resource"`
	Principal map[string]any `yaml:"Principal"`
}

// list is a list that may be written as its only element.
type list[T any] []T

// UnmarshalYAML is yaml's.
func (l *list[T]) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode((*[]T)(l))
	}
	var one T
	err := node.Decode(&one)
	*l = list[T]{one}
	return err
}

// policy is a policy document. A statement under a condition counts as there.
type policy struct {
	Statements []Statement
}

// UnmarshalYAML is yaml's.
func (p *policy) UnmarshalYAML(node *yaml.Node) error {
	var raw struct {
		Statement []yaml.Node `yaml:"Statement"`
	}
	if err := node.Decode(&raw); err != nil {
		return err
	}
	for _, one := range raw.Statement {
		if one.Tag == "!If" { // condition, then, else: nothing
			if len(one.Content) != 3 || one.Content[2].Value != "AWS::NoValue" {
				return errors.New("a conditional statement with another one in its place")
			}
			one = *one.Content[1]
		}
		var s Statement
		if err := one.Decode(&s); err != nil {
			return err
		}
		p.Statements = append(p.Statements, s)
	}
	return nil
}

func role(properties yaml.Node) (Role, error) {
	var p struct {
		ManagedPolicyArns []Value `yaml:"ManagedPolicyArns"`
		Policies          []struct {
			PolicyDocument policy `yaml:"PolicyDocument"`
		} `yaml:"Policies"`
	}
	if err := properties.Decode(&p); err != nil {
		return Role{}, err
	}
	r := Role{Managed: p.ManagedPolicyArns}
	for _, one := range p.Policies {
		r.Statements = append(r.Statements, one.PolicyDocument.Statements...)
	}
	return r, nil
}

// May says on which resources a role allows an action.
func (r Role) May(action string) []Value {
	var on []Value
	for _, s := range r.Statements {
		for _, a := range s.Actions {
			if a == action && s.Effect == "Allow" {
				on = append(on, s.Resources...)
			}
		}
	}
	return on
}

// Actions are all that a role allows, each once and in the template's order.
func (r Role) Actions() []string {
	var all []string
	seen := map[string]bool{}
	for _, s := range r.Statements {
		for _, a := range s.Actions {
			if !seen[a] {
				seen[a] = true
				all = append(all, a)
			}
		}
	}
	return all
}
