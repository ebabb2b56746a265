package reader

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
)

// Apply stores what Apple's rows say about readers, ours and foreign ones, and returns how many items changed. Of the
// several rows that may share a clientUserId, the active one counts (Apple: Managing users). The rows must be confirmed.
func Apply(ctx context.Context, store *table.Store, location string, rows []apple.User, now time.Time) (int, error) {
	return apply(ctx, store, location, rows, now, func(context.Context) error { return nil })
}

// apply also tells ahead that something will change.
func apply(
	ctx context.Context, store *table.Store, location string, rows []apple.User, now time.Time, tell func(context.Context) error,
) (int, error) {
	rows = active(rows)
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ClientUserID
	}
	ours, err := LoadMany(ctx, store.ReadStore, location, ids)
	if err != nil {
		return 0, err
	}
	items := make(map[table.Key]table.Item)
	var foreign []Foreign
	for _, row := range rows {
		doc, mine := ours[row.ClientUserID]
		if !mine {
			foreign = append(foreign, Foreign{location, row.ClientUserID, statusOf(row), row.IDHash, now})
			continue
		}
		next := doc.Value.seen(row, now)
		if next == doc.Value {
			continue
		}
		doc.Value = next
		if items[doc.Key], err = doc.Encode(); err != nil {
			return 0, err
		}
	}
	if len(items) > 0 {
		if err := tell(ctx); err != nil {
			return 0, err
		}
	}
	if err := putAll(ctx, store, items); err != nil {
		return 0, fmt.Errorf("storing the readers of location %s: %w", location, err)
	}
	changed, err := storeForeign(ctx, store, location, foreign, tell)
	return len(items) + changed, err
}

// active keeps one row for each clientUserId: the active one, else the last.
func active(rows []apple.User) []apple.User {
	at := make(map[string]int, len(rows))
	var kept []apple.User
	for _, row := range rows {
		i, ok := at[row.ClientUserID]
		switch {
		case !ok:
			at[row.ClientUserID] = len(kept)
			kept = append(kept, row)
		case statusOf(row) != Retired || statusOf(kept[i]) == Retired:
			kept[i] = row
		}
	}
	return kept
}

func statusOf(row apple.User) Status {
	switch row.Status {
	case apple.UserAssociated:
		return Associated
	case apple.UserRegistered:
		return Invited
	default: // Retired, Deleted, and whatever Apple adds: not somebody to give a book to
		return Retired
	}
}

// seen is the reader after Apple showed a row of it.
func (r Reader) seen(row apple.User, now time.Time) Reader {
	if s := statusOf(row); s != r.Status {
		r.Status, r.Changed = s, now
	}
	r.InviteCode = row.InviteCode
	if row.IDHash != "" {
		r.IDHash = row.IDHash
	}
	if r.Status == Associated {
		r.Refusal, r.InviteCode = nil, ""
	}
	return r
}
