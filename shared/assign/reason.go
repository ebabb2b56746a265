package assign

import (
	"strings"

	"github.com/bookplate/bookplate/shared/license"
)

// Why somebody waits, or is refused, for a title. Each reason has a text with the next step (Explain).
const (
	Owned              license.Reason = "owned"              // has the title already
	OwnedAsOther       license.Reason = "ownedAsOther"       // another reader, or person, with the same Apple Account has it
	Inactive           license.Reason = "inactive"           // disabled or deleted in the directory
	Left               license.Reason = "left"               // no longer in a group that the title is wished for
	OnHold             license.Reason = "onHold"             // the wish may still be taken back
	WaitingForApproval license.Reason = "waitingForApproval" // the assignment is so large that a second person must agree
	NotSynced          license.Reason = "notSynced"          // the location's first sync hasn't ended
	Stopped            license.Reason = "stopped"            // the location's token doesn't work, or somebody else owns it
	NotAtApple         license.Reason = "notAtApple"         // Apple doesn't know the person yet
	Invitation         license.Reason = "invitation"         // invited; the person has to accept
	ForeignID          license.Reason = "foreignId"          // Apple: 9635
	LinkedID           license.Reason = "linkedId"           // Apple: 9641
	ReaderError        license.Reason = "readerError"        // Apple refused the reader with another number
	RetiredAtApple     license.Reason = "retired"            // retired at Apple, by order or by others
	NoStock            license.Reason = "noStock"
	Underway           license.Reason = "underway"  // a batch has the pair
	Elsewhere          license.Reason = "bound"     // a sending in another location has an unknown outcome
	NotListed          license.Reason = "notListed" // Apple's listing no longer has the book
	AppleRefused       license.Reason = "appleRefused"
	Refunded                          = license.Refunded // was given, and Apple no longer lists it
)

// Explanation is a reason as people read it.
type Explanation struct {
	Text string // what is the matter
	Next string // what to do about it
}

// Explain says what a reason means and what to do next.
func Explain(r license.Reason) Explanation {
	if e, ok := explanations[r]; ok {
		return e
	}
	return Explanation{string(r), "Ask Bookplate's operator."}
}

var explanations = map[license.Reason]Explanation{
	Owned: {"Has the title already.", "Nothing: no second license is spent."},
	OwnedAsOther: {
		"The title was given to the same Apple Account already, as another reader or another person.",
		"Nothing: no second license is spent. If two people share an account by mistake, have each use their own.",
	},
	Inactive: {
		"Is disabled or deleted in the directory.",
		"Enable the person in the identity provider, if they are to have the title.",
	},
	Left: {
		"Is no longer in a group that the title is assigned to.",
		"Nothing, or put the person back into the group, or assign the title to it again.",
	},
	OnHold: {
		"The assignment can still be taken back without cost.",
		"Wait until the hold ends, or remove the assignment.",
	},
	WaitingForApproval: {
		"The assignment waits for approval: it would spend more licenses than one person may order.",
		"Have another administrator look at the plan (bookplate.plan) and approve it (bookplate.approve).",
	},
	NotSynced: {
		"The location's first sync has not ended.",
		"Wait for the sync; its progress is in syncRuns.",
	},
	Stopped:    {"The location is stopped.", "See the token's state and message, and renew or claim it."},
	NotAtApple: {"Apple doesn't know the person yet.", "Wait: the person is being created at Apple."},
	Invitation: {
		"Is invited and has not accepted.",
		"Send the invitation link again (readers?status=invited), or give the person a Managed Apple Account.",
	},
	ForeignID: {
		"Apple doesn't know the Managed Apple Account in this organization.",
		"Correct the account in the identity provider, or make it in Apple's portal; then order a sync (syncLicenses): Apple is " +
			"asked again.",
	},
	LinkedID: {
		"The Managed Apple Account is linked to another reader.",
		"Look whether another person here has the same account. If so, correct the one whom it doesn't belong to in the identity " +
			"provider, and if that is the other one, also retire and restore their reader, which stays linked otherwise. If nobody " +
			"here has it, another product's reader has: have that product retire it, or give the person another account. Then " +
			"order a sync (syncLicenses): Apple is asked again.",
	},
	ReaderError: {
		"Apple refused to create the reader.",
		"See the number in the detail, and correct the person in the identity provider; then order a sync (syncLicenses): Apple " +
			"is asked again.",
	},
	RetiredAtApple: {
		"The reader is retired in this location, or about to be.",
		"Restore the reader (POST /v1.0/bookplate/readers/{clientUserId}/restore) if the person is to get books here again; " +
			"Bookplate doesn't do it by itself.",
	},
	NoStock: {
		"All licenses are given.",
		"Buy more in Apple School Manager or Apple Business; the line is served at the next sync, which can be ordered " +
			"(syncLicenses).",
	},
	Underway: {
		"Has been sent to Apple, or is about to be.",
		"Wait: Apple takes up to some minutes, and an answer that was lost is waited out for a quarter of an hour.",
	},
	Elsewhere: {
		"A sending in another location, or in the other quality, has an outcome that isn't known yet.",
		"Wait, while the title is assigned there: the next sending there settles it. If it isn't any more, assign it there again, " +
			"to a group with this person. Nothing else frees it: Apple may have given it, and tells in that location only.",
	},
	NotListed: {
		"Apple no longer lists the book in this location.",
		"Check in Apple's portal whether the licenses were moved or refunded.",
	},
	AppleRefused: {
		"Apple refused to give the title.",
		"See the number in the detail. When its cause is gone, remove the assignment and assign the title anew: that tries again.",
	},
	Refunded: {
		"Had the title, and Apple no longer lists it.",
		"Look in Apple's portal whether it was refunded. Bookplate doesn't spend a second license by itself: to give the title " +
			"again, remove the assignment and assign it anew.",
	},
}

// Standing says how a license stands, and what to do next.
func Standing(l license.License) Explanation {
	switch l.State {
	case license.Wanted:
		return Explanation{"Is to be in the next request to Apple.", "Wait."}
	case license.Reserved:
		return Explain(Underway)
	case license.Licensed:
		if l.Found {
			return Explanation{Text: "Has the title; Apple listed it without an order of Bookplate's."}
		}
		return Explanation{Text: "Has the title."}
	case license.Gone:
		return Explain(Refunded)
	}
	if l.Reason == "" {
		return Explanation{}
	}
	why := Explain(l.Reason)
	if l.Detail != "" {
		why.Text = strings.TrimSuffix(why.Text, ".") + " (" + l.Detail + ")."
	}
	return why
}
