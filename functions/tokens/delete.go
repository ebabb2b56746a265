package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// releasePatience is how long a deletion waits for Apple, whom it can do without.
const releasePatience = 8 * time.Second

// released is what others read at Apple after we have gone.
const released = "released"

// delete lets a location go: it stops the work, tells Apple, removes the secret and then the record. A crash in between
// leaves a record that is stopped and says that its deletion is to be repeated; and as long as the record is there, nobody
// can upload the location anew and lose the new secret to this deletion.
func (s server) delete(w http.ResponseWriter, r *http.Request) error {
	for {
		doc, err := s.load(r)
		if err != nil {
			return err
		}
		err = s.remove(r.Context(), doc)
		if err == nil {
			graph.WriteNoContent(w)
			return nil
		}
		if !errors.Is(err, table.ErrCondition) { // otherwise somebody changed it meanwhile: it is deleted all the same
			return err
		}
	}
}

func (s server) remove(ctx context.Context, doc token.Doc) error {
	record := doc.Value
	doc.Value.State, doc.Value.Modified = token.Invalid, s.World.Now()
	doc.Value.Why = "The deletion of this token has begun and not ended. Delete it again."
	save, err := doc.Save()
	if err != nil {
		return err
	}
	if doc.Version, err = s.Store.Commit(ctx, save); err != nil {
		return fmt.Errorf("stopping location %s: %w", record.Location, err)
	}
	text, err := s.farewell(ctx, record)
	if err != nil {
		return err
	}
	if err := s.Vault.Delete(ctx, record.ID); err != nil {
		return fmt.Errorf("removing the secret of token %s: %w", record.ID, err)
	}
	told, err := act.New(s.World, auth.From(ctx).Subject, act.TokenDeleted, record.ID, text)
	if err != nil {
		return err
	}
	if _, err := s.Store.Commit(ctx, append(token.Delete(doc), told)...); err != nil {
		return fmt.Errorf("removing token %s: %w", record.ID, err)
	}
	return nil
}

// farewell tells Apple that we go, if it can be told, and says in words what stays there.
func (s server) farewell(ctx context.Context, r token.Record) (string, error) {
	stays, err := s.stays(ctx, r.Location)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("The token of location %s (%s) was deleted. %s", r.Location, r.LocationName, stays)
	if err := s.release(ctx, r); err != nil {
		s.Log.WarnContext(ctx, "location not released at Apple", "location", r.Location, "error", err)
		return text + " Apple could not be told that Bookplate has released the location.", nil
	}
	return text + " Apple was told that Bookplate has released the location.", nil
}

// stays says what a location has at Apple. Apple's own counts may be half a day old; so the licenses are counted that are known.
func (s server) stays(ctx context.Context, location string) (string, error) {
	state, err := token.LoadLocation(ctx, s.Store.ReadStore, location)
	if err != nil {
		return "", fmt.Errorf("reading the state of location %s: %w", location, err)
	}
	sync := state.Value.Sync
	if sync.FirstDone.IsZero() {
		return "What stays at Apple isn't known: the location's first sync had not ended.", nil
	}
	licenses, books, exact, err := syncrun.Held(ctx, s.Store, location, sync.Buckets)
	if err != nil {
		return "", err
	}
	verb, least := "stay", ""
	if licenses == 1 {
		verb = "stays"
	}
	if !exact {
		least = "at least "
	}
	return fmt.Sprintf("At Apple %s %s%s of %s with their readers.",
		verb, least, several(licenses, "license"), several(books, "book")), nil
}

// several is a number of things, in words that fit one too.
func several(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func (s server) release(ctx context.Context, r token.Record) error {
	ctx, cancel := context.WithTimeout(ctx, releasePatience)
	defer cancel()
	secret, err := s.Vault.Get(ctx, r.ID, r.SecretVersion)
	if err != nil {
		return err
	}
	location := s.Apple.Open(secret, apple.Identity{UID: r.Location, MDMID: r.MDMID})
	config, err := location.ClientConfig(ctx) // law 4: never over another owner
	if err != nil {
		return err
	}
	if config.MDMInfo == nil {
		return &apple.UnclaimedError{}
	}
	_, err = location.Claim(ctx, apple.MDMInfo{ID: r.MDMID, Name: productName, Metadata: released})
	return err
}
