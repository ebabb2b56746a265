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
			"x_approver": graph.String, "x_approval": graph.String, "x_planId": graph.String, "x_planLicenses": graph.Int,
			"x_licenseLimit": graph.Int,
		},
	}
}

// Assignment shows a wish.
func Assignment(w assign.Wish) graph.Entity {
	return graph.Entity{
		"id": w.ID, "installIntent": string(w.Intent),
		"target":            target(w.GroupID),
		"x_createdDateTime": w.Created, "x_holdUntil": moment(w.HoldUntil), "x_requester": w.Requester,
		"x_approver": text(w.Approver), "x_approval": approval(w), "x_planId": text(w.Approval.Plan),
		"x_planLicenses": w.Approval.Licenses, "x_licenseLimit": limit(w),
	}
}

// limit is how many licenses a wish may come to spend; null: any number.
func limit(w assign.Wish) any {
	if w.Limit == 0 {
		return nil
	}
	return w.Limit
}

func target(groupID string) map[string]any {
	if groupID == assign.Everybody {
		return map[string]any{"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}
	}
	return map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": groupID}
}

// approval says whether a wish waits for somebody's approval.
func approval(w assign.Wish) string {
	switch {
	case w.Approval.Pending:
		return "pending"
	case w.Approver != "":
		return "approved"
	}
	return "notNeeded"
}

// Assignments shows wishes.
func Assignments(list []assign.Wish) []graph.Entity {
	entities := make([]graph.Entity, len(list))
	for i, w := range list {
		entities[i] = Assignment(w)
	}
	return entities
}
