package play

// Expected is what must happen in one seed of a hundred at least: a run without it proves nothing about it.
func Expected() []string {
	var all []string
	for _, f := range faults {
		all = append(all, "fault: "+f)
	}
	for _, t := range []string{
		"new → prepared", "prepared → sending", "prepared → abandoned", "sending → sent", "sending → settled",
		"sending → abandoned", "sent → settled",
	} {
		all = append(all, "transition: "+t)
	}
	for _, r := range []string{
		"notAtApple", "invitation", "foreignId", "linkedId", "noStock", "left", "inactive", "onHold", "ownedAsOther",
		"appleRefused", "retired", "stopped", "notSynced", "waitingForApproval", "refunded",
	} {
		all = append(all, "reason: "+r)
	}
	for _, r := range []string{"owned", "underway", "bound"} { // nobody waits for these: only a plan names them
		all = append(all, "planned: "+r)
	}
	for _, d := range []string{
		"a manager asks for a book", "themselves ask for a book", "an assignment is added", "an assignment is removed",
		"a plan is approved", "a claim", "a claim by order", "retire a reader", "restore a reader", "a token is deleted",
		"a token is uploaded again",
	} {
		all = append(all, "done: "+d)
	}
	for _, r := range []string{
		"PlanChanged", "PlanGrown", "OwnAssignment", "NotOffered", "PersonInactive", "ManagedByAnother",
		"RetirementUnderWay", "FormerReader",
	} {
		all = append(all, "refused: "+r)
	}
	for _, m := range []string{
		"an answer to a sending is lost", "an outcome is unknown when its pair is sent again",
		"a title is sent while some of it are under way", "an answer names another owner",
		"stock shrinks shortly before a sending", "a claim replaces another owner",
		"a title is sent while an assignment of it waits for approval", "a title is sent to somebody who was restored",
	} {
		all = append(all, "met: "+m)
	}
	return append(all, "backlog: a turn is taken after a while", "backlog: some turns outlast a look", "converged")
}
