package assign

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
)

// All wishes for a book are one item, which has 64 KB. So what many of them share (who asked, who approved, which plan) is
// stored once, the end of a hold as its length, and names are short.

type storedWishes struct {
	BookID    string         `json:"bookId"`
	Location  string         `json:"location"`
	Asset     apple.AssetKey `json:"asset"`
	List      []storedWish   `json:"list"`
	People    []string       `json:"people,omitempty"`    // auth.Caller.Subject
	Approvals []Approval     `json:"approvals,omitempty"` // each of one plan
}

type storedWish struct {
	ID       string        `json:"id"`
	GroupID  string        `json:"g"`
	Intent   Intent        `json:"i"`
	Created  time.Time     `json:"c"`
	Hold     time.Duration `json:"h,omitempty"`
	By       int           `json:"b"`           // in People
	Approver int           `json:"a,omitempty"` // in People, from 1 on
	Approval int           `json:"p,omitempty"` // in Approvals, from 1 on
	Limit    int           `json:"l,omitempty"`
}

// MarshalJSON writes the stored form.
func (w Wishes) MarshalJSON() ([]byte, error) {
	s := storedWishes{BookID: w.BookID, Location: w.Location, Asset: w.Asset, List: make([]storedWish, len(w.List))}
	for i, one := range w.List {
		to := &s.List[i]
		*to = storedWish{ID: one.ID, GroupID: one.GroupID, Intent: one.Intent, Created: one.Created, Limit: one.Limit}
		if one.Intent == Required {
			to.Hold = one.HoldUntil.Sub(one.Created)
		}
		to.By = placeOf(&s.People, one.Requester)
		if one.Approver != "" {
			to.Approver = placeOf(&s.People, one.Approver) + 1
		}
		if one.Approval != (Approval{}) {
			to.Approval = placeOf(&s.Approvals, one.Approval) + 1
		}
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads the stored form.
func (w *Wishes) UnmarshalJSON(text []byte) error {
	var s storedWishes
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*w = Wishes{BookID: s.BookID, Location: s.Location, Asset: s.Asset, List: make([]Wish, len(s.List))}
	for i, one := range s.List {
		to := &w.List[i]
		*to = Wish{ID: one.ID, GroupID: one.GroupID, Intent: one.Intent, Created: one.Created, Limit: one.Limit}
		if one.Intent == Required {
			to.HoldUntil = one.Created.Add(one.Hold)
		}
		to.Requester, to.Approver = at(s.People, one.By), at(s.People, one.Approver-1)
		to.Approval = at(s.Approvals, one.Approval-1)
	}
	return nil
}

// placeOf is where a value is in a list, at whose end it is put if need be.
func placeOf[T comparable](list *[]T, value T) int {
	i := slices.Index(*list, value)
	if i < 0 {
		i = len(*list)
		*list = append(*list, value)
	}
	return i
}

// at is the value at a place, the zero one if there is none.
func at[T any](list []T, i int) (value T) {
	if i < 0 || i >= len(list) {
		return value
	}
	return list[i]
}
