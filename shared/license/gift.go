package license

import (
	"slices"
	"time"
)

// Gift is one license that was spent on a pair: once and for all, also if Apple has taken it back since.
type Gift struct {
	Location string `json:"location"` // uId
	Pricing  string `json:"pricing"`
	// Found says that Apple listed it without a sending of ours. Then there is no Batch, Event and Cause.
	Found bool      `json:"found,omitempty"`
	Batch string    `json:"batch,omitempty"`
	Event string    `json:"event,omitempty"` // Apple's
	Cause *Cause    `json:"cause,omitempty"`
	Asked time.Time `json:"asked,omitzero"`
	Given time.Time `json:"given"`
	Lost  time.Time `json:"lost,omitzero"` // when Apple was seen to list it no more; zero while it does
}

// Gifts are all that were spent on the pair, oldest first: the earlier ones, which Apple has taken back, and the last one, if
// nothing has begun anew since it was given. More than a few are not kept; FormerMore says how many of the oldest are missing.
func (l License) Gifts() []Gift {
	gifts := slices.Clone(l.Former)
	if l.State == Licensed || l.State == Gone {
		gifts = append(gifts, l.gift())
	}
	return gifts
}

// gift is the last gift, of a license that is licensed or gone.
func (l License) gift() Gift {
	g := Gift{Location: l.Location, Pricing: l.Pricing, Found: l.Found, Given: l.Given, Lost: l.Lost}
	if !l.Found { // what a wish asked for in vain isn't why it was given
		g.Batch, g.Event, g.Cause, g.Asked = l.Batch, l.Event, l.Cause, l.Asked
	}
	return g
}

// mostFormer is how many earlier gifts an item keeps. Each takes up to some 2 KB, of the 64 KB that an item has, and Apple takes
// one license of a title back from one person after another only if something is very wrong.
const mostFormer = 20

// begin has a gone license begin anew: what was given is kept, for the ledger, and what comes next is asked for from now on.
func (l License) begin() License {
	if l.State != Gone {
		return l
	}
	l.Former = append(slices.Clone(l.Former), l.gift())
	if more := len(l.Former) - mostFormer; more > 0 {
		l.Former, l.FormerMore = l.Former[more:], l.FormerMore+more
	}
	l.Event, l.Asked = "", time.Time{}
	return l
}

// listedAgain says that the row is the last of the earlier gifts, and no batch has the pair, whose doing it could be.
func (l License) listedAgain(row Row) bool {
	if len(l.Former) == 0 || l.State == Licensed || l.State == Gone || l.State == Reserved || l.awaits(row) {
		return false
	}
	last := l.Former[len(l.Former)-1]
	return last.Location == row.Location && last.Pricing == row.Pricing
}

// resume is the license as it was before begin.
func (l License) resume() License {
	last := len(l.Former) - 1
	g := l.Former[last]
	l.Former = slices.Clone(l.Former[:last])
	l.State, l.Location, l.Pricing, l.Found, l.Given, l.Lost = Gone, g.Location, g.Pricing, g.Found, g.Given, g.Lost
	l.Batch, l.Event, l.Cause, l.Asked = g.Batch, g.Event, g.Cause, g.Asked
	return l
}

// InLine is since when the pair stands in the line for stock: not at all when its story has ended, and only a new order begins
// it anew.
func (l License) InLine() time.Time {
	if l.State == Gone {
		return time.Time{}
	}
	return l.Asked
}
