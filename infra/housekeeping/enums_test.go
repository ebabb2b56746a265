package housekeeping

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A client that is made from the description refuses a value that it doesn't list.
func TestEnumsAreDescribedAsTheCodeHasThem(t *testing.T) {
	d := loadDescription(t)
	for at, of := range map[string]struct{ dir, name, but string }{
		"act/properties/kind":                      {"shared/act", "Kind", ""},
		"request/properties/state":                 {"shared/license", "State", ""},
		"batch/properties/state":                   {"shared/license", "BatchState", ""},
		"readerStatus":                             {"shared/reader", "Status", ""},
		"retirementState":                          {"shared/reader", "RetirementState", ""},
		"syncRun/properties/kind":                  {"shared/syncrun", "Kind", ""},
		"syncRun/properties/phase":                 {"shared/syncrun", "Phase", ""},
		"syncRun/properties/status":                {"shared/token", "SyncStatus", "none"}, // there is a run
		"vppToken/properties/state":                {"shared/token", "State", ""},
		"vppToken/properties/lastSyncStatus":       {"shared/token", "SyncStatus", ""},
		"planPerson/properties/verdict":            {"shared/assign", "Verdict", ""},
		"planRun/allOf/1/properties/status":        {"shared/assign", "PlanState", ""},
		"assignmentAsked/properties/installIntent": {"shared/assign", "Intent", ""},
		"cause/properties/intent":                  {"shared/assign", "Intent", ""},
		"vppToken/properties/vppTokenAccountType":  {"shared/token", "AccountType", ""},
	} {
		want := slices.DeleteFunc(constants(t, of.dir, of.name), func(value string) bool { return value == of.but })
		compare(t, "openapi.yaml's "+at, enum(t, d, at), of.dir+" "+of.name, want)
	}
	open := slices.DeleteFunc(constants(t, "shared/license", "BatchState"), func(state string) bool {
		return state == "settled" || state == "abandoned" // then it holds no pair
	})
	compare(t, "openapi.yaml's grant", enum(t, d, "grant/properties/state"), "the code",
		append(constants(t, "shared/license", "State"), open...))
}

// enum is what the description lists at a place below the schemas.
func enum(t *testing.T, d description, at string) []string {
	t.Helper()
	node := d.text.Content[0]
	for step := range strings.SplitSeq("components/schemas/"+at+"/enum", "/") {
		next := child(node, step)
		if i, err := strconv.Atoi(step); err == nil && node.Kind == yaml.SequenceNode {
			next = node.Content[i]
		}
		if node = next; node == nil {
			t.Fatalf("openapi.yaml has no enum at %s", at)
		}
	}
	var values []string
	if err := node.Decode(&values); err != nil {
		t.Fatal(err)
	}
	return values
}
