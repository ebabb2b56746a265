package assignments

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

// maxBody is how long a request's body may be, in bytes.
const maxBody = 1 << 20

// assignment is a managedEBookAssignment as clients write it.
type assignment struct {
	Intent *string `json:"installIntent"`
	Target *target `json:"target"`
}

type target struct {
	Type    string `json:"@odata.type"`
	GroupID string `json:"groupId"`
}

const listField = "managedEBookAssignments"

// readAsks reads the body of assign. A body without the list isn't an empty list: that would take everything back.
func readAsks(w http.ResponseWriter, r *http.Request) ([]assign.Ask, error) {
	var body struct {
		List *[]*assignment `json:"managedEBookAssignments"`
	}
	if err := graph.ReadBody(w, r, maxBody, &body); err != nil {
		return nil, err
	}
	if body.List == nil {
		return nil, problem.New(problem.Invalid, "",
			"The request has no list of assignments. Send {%q: […]}; an empty list removes "+
				"all assignments of the book.", listField).At(listField)
	}
	asks := make([]assign.Ask, len(*body.List))
	for i, one := range *body.List {
		var err error
		if asks[i], err = one.ask(fmt.Sprintf("%s[%d]", listField, i)); err != nil {
			return nil, err
		}
	}
	return asks, nil
}

// ask is the assignment that stands at the field, as the domain takes it.
func (a *assignment) ask(field string) (assign.Ask, error) {
	if a == nil {
		return assign.Ask{}, problem.New(problem.Invalid, "",
			"The assignment is null. Give it an installIntent and a target.").At(field)
	}
	intent, err := readIntent(a.Intent)
	if err != nil {
		return assign.Ask{}, err.At(join(field, "installIntent"))
	}
	group, err := a.Target.group()
	if err != nil {
		return assign.Ask{}, err.At(join(field, err.Target))
	}
	return assign.Ask{GroupID: group, Intent: intent, Field: field}, nil
}

func join(field, part string) string { return strings.TrimPrefix(field+"."+part, ".") }

func readIntent(given *string) (assign.Intent, *problem.Error) {
	if given == nil || *given == "" {
		return "", problem.New(problem.Invalid, "", "The assignment has no installIntent. Books can be available or required.")
	}
	switch strings.ToLower(*given) {
	case "available":
		return assign.Available, nil
	case "required":
		return assign.Required, nil
	case "uninstall":
		return "", problem.New(problem.Invalid, "IntentNotForBooks",
			"Books can't be assigned with the intent uninstall: a book's "+
				"license stays with the person for ever. To stop giving the book, remove the assignment.")
	case "availablewithoutenrollment":
		return "", problem.New(problem.Invalid, "IntentNotForBooks", "Books can't be assigned with the intent "+
			"availableWithoutEnrollment: a book goes to a person whom Apple knows through this organization. Use available.")
	}
	return "", problem.New(problem.Invalid, "", "There is no installIntent %.40q. Books can be available or required.", *given)
}

// group is the id of the group that the target names, or assign.Everybody. The error's Target is the field at fault.
func (t *target) group() (string, *problem.Error) {
	const typeField = "target.@odata.type"
	refuse := func(field, text string) (string, *problem.Error) {
		return "", problem.New(problem.Invalid, "TargetNotForBooks", "%s", text).At(field)
	}
	if t == nil {
		return refuse("target", "The assignment has no target. Name a group: "+groupTarget)
	}
	name := strings.TrimPrefix(t.Type, "#")
	switch strings.ToLower(strings.TrimPrefix(name, "microsoft.graph.")) {
	case "groupassignmenttarget":
		if t.GroupID == "" {
			return refuse("target.groupId", "The target names no group. Give its id: "+groupTarget)
		}
		return door.ID(t.GroupID), nil
	case "":
		return refuse(typeField, "The target has no type. Name a group: "+groupTarget)
	case "alllicensedusersassignmenttarget":
		if t.GroupID != "" {
			return refuse("target.groupId", "All users are no group, and the target names one: it would be everybody. "+
				"Leave the groupId out, or name the group: "+groupTarget)
		}
		return assign.Everybody, nil
	case "alldevicesassignmenttarget":
		return refuse(typeField,
			"Books can't be assigned to devices: Apple gives books to people only. Name a group of the people "+
				"who use the devices: "+groupTarget)
	case "exclusiongroupassignmenttarget":
		return refuse(typeField,
			"Books can't be assigned with exclusions: somebody who leaves the excluded group would get a license "+
				"that never comes back. Name groups of exactly those who are to have the book: "+groupTarget)
	case "configurationmanagercollectionassignmenttarget":
		return refuse(typeField, "Books can't be assigned to collections of Configuration Manager. Name a group: "+groupTarget)
	}
	return refuse(typeField, fmt.Sprintf("There is no target type %.80q for books. Name a group: ", t.Type)+groupTarget)
}

const groupTarget = `{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "…"}.`
