package housekeeping

import (
	"go/ast"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/bookplate/bookplate/infra"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/entity"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/license"
)

// description is what the tests read of infra/openapi.yaml.
type description struct {
	OpenAPI string `yaml:"openapi"`
	Servers []server
	Paths   map[string]pathItem
	Tags    []struct{ Name string }

	Components struct {
		Schemas    map[string]schema
		Parameters map[string]parameter
	}
	text *yaml.Node
}

type server struct{ URL string }

type pathItem struct {
	Servers                       []server
	Parameters                    []parameter
	Get, Post, Put, Patch, Delete *operation
}

type operation struct {
	Tags       []string
	Summary    string
	Parameters []parameter
	Responses  map[string]yaml.Node
}

type parameter struct {
	Ref      string `yaml:"$ref"`
	Name, In string
}

type schema struct {
	Properties map[string]yaml.Node
	Enum       []string
}

func loadDescription(t *testing.T) description {
	t.Helper()
	var d description
	if err := yaml.Unmarshal(infra.OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	d.text = new(yaml.Node)
	if err := yaml.Unmarshal(infra.OpenAPI(), d.text); err != nil {
		t.Fatal(err)
	}
	if d.OpenAPI != "3.1.0" || len(d.Paths) == 0 {
		t.Fatalf("openapi %q with %d paths", d.OpenAPI, len(d.Paths))
	}
	return d
}

func (p pathItem) operations() map[string]*operation {
	all := map[string]*operation{"GET": p.Get, "POST": p.Post, "PUT": p.Put, "PATCH": p.Patch, "DELETE": p.Delete}
	maps.DeleteFunc(all, func(_ string, o *operation) bool { return o == nil })
	return all
}

// routes are the operations as net/http's mux writes them, under each of their servers.
func (d description) routes() []string {
	var routes []string
	for path, item := range d.Paths {
		servers := d.Servers
		if item.Servers != nil {
			servers = item.Servers
		}
		for method := range item.operations() {
			for _, s := range servers {
				routes = append(routes, method+" "+strings.TrimSuffix(s.URL, "/")+path)
			}
		}
	}
	return routes
}

func TestOperationsAreDescribed(t *testing.T) {
	d := loadDescription(t)
	var tags []string
	for _, tag := range d.Tags {
		tags = append(tags, tag.Name)
	}
	for path, item := range d.Paths {
		for method, o := range item.operations() {
			name := method + " " + path
			if o.Summary == "" || len(o.Responses) == 0 {
				t.Errorf("%s has no summary or no response", name)
			}
			if len(o.Tags) != 1 || !slices.Contains(tags, o.Tags[0]) {
				t.Errorf("%s has the tags %v", name, o.Tags)
			}
			if want, got := wildcards(path), pathParameters(item, o); !slices.Equal(want, got) {
				t.Errorf("%s has the path parameters %v, not %v", name, got, want)
			}
		}
	}
}

func wildcards(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "{") {
			names = append(names, strings.Trim(segment, "{}"))
		}
	}
	slices.Sort(names)
	return names
}

func pathParameters(item pathItem, o *operation) []string {
	var names []string
	for _, p := range slices.Concat(item.Parameters, o.Parameters) {
		switch {
		case p.Ref == "#/components/parameters/id":
			names = append(names, "id")
		case p.In == "path":
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestReferencesLeadSomewhere(t *testing.T) {
	d := loadDescription(t)
	n := 0
	eachReference(d.text, func(ref string) {
		n++
		at := d.text.Content[0]
		for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			if at = child(at, step); at == nil {
				t.Errorf("%s leads nowhere", ref)
				return
			}
		}
	})
	if n < 50 {
		t.Errorf("only %d references found", n)
	}
}

func eachReference(n *yaml.Node, visit func(ref string)) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == "$ref" && n.Content[i+1].Kind == yaml.ScalarNode {
				visit(n.Content[i+1].Value)
			}
		}
	}
	for _, c := range n.Content {
		eachReference(c, visit)
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// What clients see of a record is described, and nothing else is.
func TestEntitiesAreDescribedAsTheyAreShown(t *testing.T) {
	shown := map[string]graph.Schema{
		"vppToken":               entity.TokenSchema(),
		"iosVppEBook":            entity.BookSchema(),
		"managedEBookAssignment": entity.AssignmentSchema(),
	}
	schemas := loadDescription(t).Components.Schemas
	for name, shape := range shown {
		var want []string
		for property := range shape.Properties {
			if !strings.Contains(property, "/") { // a part of a complex property
				want = append(want, property)
			}
		}
		var got []string
		for property := range schemas[name].Properties {
			if property != "@odata.type" && !slices.Contains(shape.Expand, property) {
				got = append(got, property)
			}
		}
		compare(t, "openapi.yaml's "+name, got, "shared/entity", want)
	}
}

// Answers that are structs are described by the schema of the same fields.
func TestAnswersAreDescribedAsTheyAreWritten(t *testing.T) {
	structs := jsonFields(t)
	schemas := loadDescription(t).Components.Schemas
	for name, from := range map[string]string{
		"request":       "functions/assignments request",
		"plan":          "functions/assignments planAnswer",
		"cause":         "functions/books cause",
		"grant":         "functions/books grant",
		"license":       "functions/books held",
		"ledgerEntry":   "functions/books entry",
		"reader":        "functions/books showedReader",
		"refusal":       "functions/books refusal",
		"batch":         "functions/books batch",
		"batchRequest":  "functions/front item",
		"batchResponse": "functions/front response",
		"syncRun":       "functions/books run",
		"syncCounts":    "shared/syncrun Counts",
		"act":           "shared/act Act",
	} {
		if len(structs[from]) == 0 {
			t.Errorf("there is no struct %s", from)
		}
		compare(t, "openapi.yaml's "+name, slices.Collect(maps.Keys(schemas[name].Properties)), from, structs[from])
	}
}

// jsonFields are the JSON names of the fields of the tree's structs, by folder and type ("shared/act Act"). What a struct
// embeds of its own package belongs to it.
func jsonFields(t *testing.T) map[string][]string {
	t.Helper()
	fields, embedded := map[string][]string{}, map[string][]string{}
	for _, f := range productFiles(t) {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			spec, isType := n.(*ast.TypeSpec)
			if !isType {
				return true
			}
			shape, isStruct := spec.Type.(*ast.StructType)
			if !isStruct {
				return false
			}
			name := f.dir() + " " + spec.Name.Name
			for _, field := range shape.Fields.List {
				if of := embeddedType(field); of != "" {
					embedded[name] = append(embedded[name], f.dir()+" "+of)
				} else if tag := jsonName(field); tag != "" {
					fields[name] = append(fields[name], tag)
				}
			}
			return false
		})
	}
	for name, parts := range embedded {
		for _, part := range parts {
			fields[name] = append(fields[name], fields[part]...)
		}
	}
	return fields
}

func embeddedType(field *ast.Field) string {
	if len(field.Names) > 0 {
		return ""
	}
	of := field.Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func jsonName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
	name, _, _ := strings.Cut(tag.Get("json"), ",")
	return name
}

func TestReasonsAreDescribedAndExplained(t *testing.T) {
	reasons := loadDescription(t).Components.Schemas["reason"].Enum
	compare(t, "infra/openapi.yaml's reasons", reasons, "the code", allReasons(t))
	for _, r := range reasons {
		if assign.Explain(license.Reason(r)).Text == r {
			t.Errorf("openapi.yaml has the reason %q, which assign doesn't explain", r)
		}
	}
}
