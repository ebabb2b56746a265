package sam

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// Template is template.yaml.
type Template struct {
	Parameters map[string]Parameter
	Functions  map[string]Function // by the name of their folder, e.g. books
	Roles      map[string]Role     // by logical id
}

// Parameter is what an operator sets.
type Parameter struct {
	Type           string   `yaml:"Type"`
	Default        string   `yaml:"Default"`
	Description    string   `yaml:"Description"`
	AllowedPattern string   `yaml:"AllowedPattern"`
	AllowedValues  []string `yaml:"AllowedValues"`
	MinValue       string   `yaml:"MinValue"`
	MaxValue       string   `yaml:"MaxValue"`
}

// Function is an AWS::Serverless::Function.
type Function struct {
	ID          string
	Timeout     int // seconds
	Environment map[string]Value
	Role        Value
	Policies    *yaml.Node // must be nil: rights are in roles
	Events      map[string]Event
}

// Event is what a function runs for.
type Event struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Method    string `yaml:"Method"`
		Path      string `yaml:"Path"`
		Input     string `yaml:"Input"`
		RoleArn   Value  `yaml:"RoleArn"`
		BatchSize int    `yaml:"BatchSize"`
	} `yaml:"Properties"`
}

// Role is an AWS::IAM::Role: all of its statements.
type Role struct {
	Statements []Statement
	Managed    []Value // ManagedPolicyArns
}

// Load reads the template in a folder.
func Load(dir string) (Template, error) {
	text, err := os.ReadFile(filepath.Join(dir, "template.yaml")) // #nosec G304 -- the tree's own
	if err != nil {
		return Template{}, fmt.Errorf("reading the template: %w", err)
	}
	var raw struct {
		Parameters map[string]Parameter `yaml:"Parameters"`
		Globals    struct {
			Function struct {
				Timeout int `yaml:"Timeout"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return Template{}, fmt.Errorf("reading the template: %w", err)
	}
	t := Template{Parameters: raw.Parameters, Functions: map[string]Function{}, Roles: map[string]Role{}}
	for id, r := range raw.Resources {
		var err error
		switch r.Type {
		case "AWS::Serverless::Function":
			t.Functions[strings.ToLower(id)], err = function(id, raw.Globals.Function.Timeout, r.Properties)
		case "AWS::IAM::Role":
			t.Roles[id], err = role(r.Properties)
		}
		if err != nil {
			return Template{}, fmt.Errorf("reading the template: %s: %w", id, err)
		}
	}
	return t, nil
}

func function(id string, timeout int, properties yaml.Node) (Function, error) {
	var p struct {
		Timeout     int   `yaml:"Timeout"`
		Role        Value `yaml:"Role"`
		Environment struct {
			Variables map[string]Value `yaml:"Variables"`
		} `yaml:"Environment"`
		Policies *yaml.Node       `yaml:"Policies"`
		Events   map[string]Event `yaml:"Events"`
	}
	if err := properties.Decode(&p); err != nil {
		return Function{}, err
	}
	if p.Timeout > 0 {
		timeout = p.Timeout
	}
	return Function{
		ID: id, Timeout: timeout, Role: p.Role, Environment: p.Environment.Variables, Policies: p.Policies, Events: p.Events,
	}, nil
}

// Routes are the routes of a function, as net/http's mux writes them. The gateway's own default route isn't one.
func (f Function) Routes() []string {
	var routes []string
	for _, e := range f.Events {
		if e.Type == "HttpApi" && e.Properties.Path != "" {
			routes = append(routes, e.Properties.Method+" "+e.Properties.Path)
		}
	}
	return routes
}

// HasDefaultRoute says that the function gets what no other has a route for.
func (f Function) HasDefaultRoute() bool {
	for _, e := range f.Events {
		if e.Type == "HttpApi" && e.Properties.Path == "" {
			return true
		}
	}
	return false
}
