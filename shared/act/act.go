package act

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Kind is the sort of an act.
type Kind string

// The kinds.
const (
	TokenUploaded      Kind = "tokenUploaded"
	TokenRenewed       Kind = "tokenRenewed"
	TokenRevived       Kind = "tokenRevived"    // work goes on at a location that had stopped
	LocationClaimed    Kind = "locationClaimed" // also over a former owner, who is named
	TokenDeleted       Kind = "tokenDeleted"
	AssignmentApproved Kind = "assignmentApproved"
	AssignmentRemoved  Kind = "assignmentRemoved" // one or several at once; what they gave stays given
	ReaderRetired      Kind = "readerRetired"     // ordered; the reader says when it was done
	ReaderRestored     Kind = "readerRestored"
)

// Act is one entry.
type Act struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	By     string    `json:"by"` // auth.Caller.Subject
	Kind   Kind      `json:"kind"`
	Target string    `json:"target"` // the id of what was acted upon
	Text   string    `json:"text"`   // for people, without secrets
}

// sortLayout has a fixed width, so that the order of keys is the order of time.
const sortLayout = "2006-01-02T15:04:05.000000000Z"

const monthLayout = "2006-01"

func part(month time.Time) string { return "acts#" + month.UTC().Format(monthLayout) }

// New is the op that records an act. It belongs into the Commit of the act itself.
func New(w world.World, by string, kind Kind, target, text string) (table.Op, error) {
	a := Act{ID: world.NewID(w), At: w.Now().UTC(), By: by, Kind: kind, Target: target, Text: text}
	item, err := table.Encode(table.Key{Part: part(a.At), Sort: a.At.Format(sortLayout) + "#" + a.ID}, a)
	return table.Put(item, table.Absent()), err
}

// Months are the months of a list, newest first: count of them, ending with the one of until.
func Months(until time.Time, count int) []time.Time {
	first := time.Date(until.UTC().Year(), until.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	months := make([]time.Time, count)
	for i := range months {
		months[i] = first.AddDate(0, -i, 0)
	}
	return months
}

// ParseMonth reads a month like "2030-09".
func ParseMonth(text string) (time.Time, error) {
	return time.Parse(monthLayout, strings.TrimSpace(text))
}

// List returns a page of the acts of some months, in the order of the months and newest first within each, and the
// cursor of the next page.
func List(ctx context.Context, store *table.ReadStore, months []time.Time, limit int, cursor string) (
	acts []Act, next string, err error,
) {
	parts := make([]string, len(months))
	for i, m := range months {
		parts[i] = part(m)
	}
	page, err := store.PageParts(ctx, parts, table.Range{Limit: limit, Cursor: cursor, Reverse: true})
	if err != nil {
		return nil, "", fmt.Errorf("reading the acts: %w", err)
	}
	for _, item := range page.Items {
		doc, err := table.Decode[Act](item)
		if err != nil {
			return nil, "", err
		}
		acts = append(acts, doc.Value)
	}
	return acts, page.Next, nil
}
