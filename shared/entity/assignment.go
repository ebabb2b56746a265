package entity

import (
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/graph"
)

// AssignmentSchema describes managedEBookAssignments.
func AssignmentSchema() graph.Schema {
	return graph.Schema{
		Type:    "microsoft.graph.managedEBookAssignment",
		Derived: []string{"microsoft.graph.iosVppEBookAssignment"},
		Properties: map[string]graph.Kind{
			"id": graph.String, "installIntent": graph.String, "target": graph.Complex, "target/groupId": graph.String,
			"x_createdDateTime": graph.Time, "x_holdUntil": graph.Time, "x_requester": graph.String,
			"x_approver": graph.String,
		},
	}
}

// Assignment shows a wish.
func Assignment(w assign.Wish) graph.Entity {
	return graph.Entity{
		"id": w.ID, "installIntent": string(w.Intent),
		"target":            map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": w.GroupID},
		"x_createdDateTime": w.Created, "x_holdUntil": moment(w.HoldUntil), "x_requester": w.Requester,
		"x_approver": text(w.Approver),
	}
}

// Assignments shows wishes.
func Assignments(list []assign.Wish) []graph.Entity {
	entities := make([]graph.Entity, len(list))
	for i, w := range list {
		entities[i] = Assignment(w)
	}
	return entities
}
