package reader

import (
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
)

// Users is where all rows of one clientUserId can be asked for.
type Users interface {
	UserPages(ctx context.Context, q apple.UserQuery, from int, visit func(apple.Page, []apple.User) error) error
}

// Confirm returns the rows ready for Apply. A row that would retire a reader of ours who is active may be one of several
// (Apple keeps a retired row beside the active one), and the active one may be on another page, or unchanged and so not
// in a delta: then all rows of that clientUserId are asked for.
func Confirm(ctx context.Context, store *table.ReadStore, users Users, location string, rows []apple.User) (
	[]apple.User, error,
) {
	rows = active(rows)
	var ids []string
	for _, row := range rows {
		if statusOf(row) == Retired {
			ids = append(ids, row.ClientUserID)
		}
	}
	ours, err := LoadMany(ctx, store, location, ids)
	if err != nil || len(ours) == 0 {
		return rows, err
	}
	for _, id := range ids {
		doc, mine := ours[id]
		if !mine || doc.Value.Status == Retired {
			continue
		}
		err := users.UserPages(ctx, apple.UserQuery{ClientUserID: id}, 0, func(_ apple.Page, all []apple.User) error {
			rows = append(rows, all...)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("looking user %s up: %w", id, err)
		}
	}
	return active(rows), nil
}
