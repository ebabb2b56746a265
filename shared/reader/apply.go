package reader

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
)

// Apply stores what Apple's rows say about readers, ours and foreign ones, and returns how many items changed. Of the
// several rows that may share a clientUserId, the active one counts (Apple: Managing users). The rows must be confirmed.
//
// If somebody has become or ceased to be associated, or is linked to another account, everybody may have to be decided for
// anew: that is marked ahead, for a while later, so that many such changes share a look.
func Apply(ctx context.Context, store *table.Store, location string, rows []apple.User, now time.Time) (int, error) {
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
	matters := false
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
		matters = matters || (next.Status == Associated) != (doc.Value.Status == Associated) || next.IDHash != doc.Value.IDHash
		doc.Value = next
		if items[doc.Key], err = doc.Encode(); err != nil {
			return 0, err
		}
	}
	if matters {
		if err := tell(ctx, store, location, now); err != nil {
			return 0, err
		}
	}
	if err := putAll(ctx, store, items); err != nil {
		return 0, fmt.Errorf("storing the readers of location %s: %w", location, err)
	}
	changed, err := storeForeign(ctx, store, location, foreign, now)
	return len(items) + changed, err
}

// tellAfter is how much later everybody is looked at.
const tellAfter = 30 * time.Second

// tell has every wish of the location looked at in a while, or when that is marked already. The mark is put anew in any case: a
// look that is under way may have read it, and would remove it with what is told now.
func tell(ctx context.Context, store *table.Store, location string, now time.Time) error {
	marks, err := mark.Read(ctx, store.ReadStore, location)
	if err != nil {
		return err
	}
	due := now.Add(tellAfter)
	for _, m := range marks {
		if m.Kind == mark.Later && m.Subject == mark.SubjectAll && m.Due.After(now) {
			due = m.Due
		}
	}
	if _, err := store.Commit(ctx, mark.New(location, mark.Later, mark.SubjectAll, due)); err != nil {
		return fmt.Errorf("marking the grants of location %s: %w", location, err)
	}
	return nil
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
