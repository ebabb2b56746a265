package token

import (
	"context"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

type installation struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

// Installation returns the id of this installation, making it at the first call ever. It is stored before any location
// is claimed with an id that derives from it.
func Installation(ctx context.Context, store *table.Store, w world.World) (string, error) {
	key := table.Key{Part: "installation", Sort: "id"}
	for {
		doc, err := table.LoadOrZero[installation](ctx, store, key)
		if err != nil || doc.Version != "" {
			return doc.Value.ID, err
		}
		doc.Value = installation{ID: world.NewID(w), Created: w.Now()}
		op, err := doc.Save()
		if err != nil {
			return "", err
		}
		if _, err = store.Commit(ctx, op); err == nil {
			return doc.Value.ID, nil
		} else if !isConflict(err) {
			return "", err
		}
	}
}
