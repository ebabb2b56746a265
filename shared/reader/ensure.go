package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Apple is what of Apple's location readers need.
type Apple interface {
	CreateUsers(ctx context.Context, users []apple.NewUser) (eventID string, err error)
	UpdateUsers(ctx context.Context, users []apple.NewUser) (eventID string, err error)
	RetireUsers(ctx context.Context, clientUserIDs []string) (eventID string, err error)
	Event(ctx context.Context, eventID string) (apple.Event, error)
	Users
}

// Worker brings people to Apple. It runs inside the location's worker only.
type Worker struct {
	Store    *table.Store
	World    world.World
	Apple    Apple
	Identity Identity
	MaxUsers int           // Apple's live limit of users a request
	Poll     time.Duration // how long after a request its event is first looked at; every later look, three times that
	Ordered  time.Time     // when the last sync that somebody ordered has ended: what Apple refused before doesn't stand
}

// Person is somebody who ought to be a reader.
type Person struct {
	ID      string
	Account string // their Managed Apple Account; empty means that they are invited
}

// request is one CreateUsers, UpdateUsers or RetireUsers that Apple has taken and not yet finished. While it is stored, its readers
// aren't asked for again.
type request struct {
	Event         string    `json:"event"`
	ClientUserIDs []string  `json:"clientUserIds"`
	Sent          time.Time `json:"sent"`
	Retires       bool      `json:"retires,omitempty"`
}

func requestKey(location, event string) table.Key {
	return table.Key{Part: "readerRequests#" + location, Sort: event}
}

func (w Worker) requests(ctx context.Context) (pending map[string]bool, err error) {
	pending = make(map[string]bool)
	at := table.Range{Part: requestKey(w.Identity.Location, "").Part}
	for doc, err := range table.Docs[request](w.Store.Each(ctx, at)) {
		if err != nil {
			return nil, fmt.Errorf("reading the reader requests of location %s: %w", w.Identity.Location, err)
		}
		for _, id := range doc.Value.ClientUserIDs {
			pending[id] = true
		}
	}
	return pending, nil
}

// Ensure asks Apple to create those of the people whom it doesn't know, and to link those who have a Managed Apple
// Account and aren't linked. It returns how many it asked for, and how many Apple turned out to know. What was asked
// for before and isn't answered is left alone, and so is an account that Apple has just refused.
//
// Before it asks for anybody, it reads what changed of the users since a version of their listing: a process that
// died may have heard that the location has another owner (law 4), or that Apple knows the people.
func (w Worker) Ensure(ctx context.Context, people []Person, sinceVersion string) (asked, known int, err error) {
	create, link, err := w.lacking(ctx, people)
	before := len(create) + len(link)
	if err != nil || before == 0 {
		return 0, 0, err
	}
	if _, err := w.Refresh(ctx, sinceVersion); err != nil {
		return 0, 0, err
	}
	if create, link, err = w.lacking(ctx, people); err != nil {
		return 0, 0, err
	}
	asked = len(create) + len(link)
	if err := w.ask(ctx, create, w.Apple.CreateUsers); err != nil {
		return 0, 0, err
	}
	return asked, before - asked, w.ask(ctx, link, w.Apple.UpdateUsers)
}

// lacking are the readers that Apple has to be asked to create, and to link.
func (w Worker) lacking(ctx context.Context, people []Person) (create, link []Doc, err error) {
	pending, err := w.requests(ctx)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	known, err := OfPeople(ctx, w.Store.ReadStore, w.Identity, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range people {
		doc, ok := known[p.ID]
		if !ok {
			doc = w.draft(p)
		}
		r := &doc.Value
		switch {
		case pending[r.ClientUserID] || r.Status == Associated || r.Status == Retired || w.stands(r.Refusal, p.Account):
		case r.Status == New:
			r.Account = p.Account
			create = append(create, doc)
		case p.Account != "":
			r.Account = p.Account
			link = append(link, doc)
		}
	}
	return create, link, nil
}

// refusalStands is how long Apple isn't asked again with an account that it has refused: what was wrong may be put right at
// Apple, where we don't hear of it (the account is made there, or another reader lets it go). Who has put it right orders a
// sync, and needn't wait for that.
const refusalStands = 10 * time.Minute

// stands says that there is no point in asking Apple again with that account yet.
func (w Worker) stands(r *Refusal, account string) bool {
	return r != nil && r.Account == account && r.At.After(w.Ordered) && w.World.Now().Before(r.At.Add(refusalStands))
}

func (w Worker) draft(p Person) Doc {
	now := w.World.Now()
	r := Reader{
		Location: w.Identity.Location, PersonID: p.ID, Status: New, Created: now, Changed: now,
		ClientUserID: ClientUserID(w.Identity.MDMID, w.Identity.Location, p.ID, 0),
	}
	return table.NewDoc(key(r.Location, r.ClientUserID), r)
}

// ask stores the readers, so that Apple's rows find them, and then sends the requests. A crash in between, or an
// answer that is lost, repeats a request: Apple answers 9716 for those that it already has.
func (w Worker) ask(
	ctx context.Context, readers []Doc, send func(context.Context, []apple.NewUser) (string, error),
) error {
	for chunk := range slices.Chunk(readers, max(w.MaxUsers, 1)) {
		users := make([]apple.NewUser, len(chunk))
		items := make(map[table.Key]table.Item, len(chunk))
		req := request{Sent: w.World.Now()}
		for i, doc := range chunk {
			item, err := doc.Encode()
			if err != nil {
				return err
			}
			items[doc.Key] = item
			users[i] = apple.NewUser{ClientUserID: doc.Value.ClientUserID, ManagedAppleID: doc.Value.Account}
			req.ClientUserIDs = append(req.ClientUserIDs, doc.Value.ClientUserID)
		}
		if err := putAll(ctx, w.Store, items); err != nil {
			return fmt.Errorf("storing new readers of location %s: %w", w.Identity.Location, err)
		}
		event, err := send(ctx, users)
		if err != nil {
			return fmt.Errorf("asking Apple for %d readers: %w", len(users), err)
		}
		if err := w.follow(ctx, event, req); err != nil {
			return err
		}
	}
	return nil
}

// follow stores a request that Apple has taken, and when it is looked at.
func (w Worker) follow(ctx context.Context, event string, req request) error {
	req.Event = event
	save, err := table.NewDoc(requestKey(w.Identity.Location, event), req).SaveIf(table.Any())
	if err != nil {
		return err
	}
	look := mark.New(w.Identity.Location, mark.Readers, event, w.World.Now().Add(w.Poll))
	if _, err := w.Store.Commit(ctx, save, look); err != nil {
		return fmt.Errorf("storing the reader request %s: %w", event, err)
	}
	return nil
}

// patience is how long Apple may take over a request before it is asked anew (Apple: Managing users).
const patience = 10 * time.Minute

// ended is a request that Apple has finished, or that isn't waited for any longer.
type ended struct {
	doc      table.Doc[request]
	failures []apple.Failure
}

// Follow looks at requests. It returns how many of them have ended, with their readers up to date, and puts the marks of
// the others off. What changed of the users is read once for all that have ended, since a version of their listing; the
// version up to which that was read is returned, empty if nothing was.
func (w Worker) Follow(ctx context.Context, events []string, sinceVersion string) (done int, version string, err error) {
	var over []ended
	for _, event := range events {
		doc, err := table.Load[request](ctx, w.Store, requestKey(w.Identity.Location, event))
		if errors.Is(err, table.ErrAbsent) {
			done++ // followed before
			continue
		}
		if err != nil {
			return done, "", err
		}
		state, ready, err := w.look(ctx, doc.Value)
		if err != nil {
			return done, "", err
		}
		switch {
		case !ready:
		case doc.Value.Retires:
			if err := w.retired(ctx, doc, state); err != nil {
				return done, "", err
			}
			done++
		default:
			over = append(over, ended{doc, state.Failures})
		}
	}
	if len(over) == 0 {
		return done, "", nil
	}
	if version, err = w.Refresh(ctx, sinceVersion); err != nil {
		return done, "", err
	}
	for _, e := range over {
		if err := w.refuse(ctx, e.doc.Value, e.failures); err != nil {
			return done, "", err
		}
		if _, err := w.Store.Commit(ctx, e.doc.Remove()); err != nil {
			return done, "", err
		}
		done++
	}
	return done, version, nil
}

// look asks for the event of a request. One that is pending is looked at later.
func (w Worker) look(ctx context.Context, r request) (state apple.Event, ready bool, err error) {
	state, err = w.Apple.Event(ctx, r.Event)
	var refused *apple.Error
	gone := errors.As(err, &refused) && !refused.TokenProblem() && !refused.Retryable() // 9708: Apple has forgotten it
	if err != nil && !gone {
		return state, false, fmt.Errorf("looking at Apple's event %s: %w", r.Event, err)
	}
	late := w.World.Now().Sub(r.Sent) > patience
	if state.Status == apple.EventPending && !late {
		look := mark.New(w.Identity.Location, mark.Readers, r.Event, w.World.Now().Add(3*w.Poll))
		_, err := w.Store.Commit(ctx, look)
		return state, false, err
	}
	return state, true, nil
}

// Refresh applies what changed of the users since a version of their listing, and returns the version up to which it did.
func (w Worker) Refresh(ctx context.Context, sinceVersion string) (version string, err error) {
	version, err = w.read(ctx, apple.UserQuery{SinceVersion: sinceVersion})
	if apple.IsNumber(err, apple.NumberVersion) {
		version, err = w.read(ctx, apple.UserQuery{}) // too old for Apple: everything, then
	}
	if err != nil {
		return "", fmt.Errorf("reading what changed of the users of location %s: %w", w.Identity.Location, err)
	}
	return version, nil
}

// refuse notes what Apple said against readers, and looks up those whom it says that it has.
func (w Worker) refuse(ctx context.Context, req request, failures []apple.Failure) error {
	known, err := LoadMany(ctx, w.Store.ReadStore, w.Identity.Location, req.ClientUserIDs)
	if err != nil {
		return err
	}
	items := make(map[table.Key]table.Item)
	for _, f := range failures {
		for _, id := range f.Info.ClientUserIDs {
			doc, ok := known[id]
			if !ok || doc.Value.Status == Associated {
				continue
			}
			if f.Number == apple.NumberUserExists {
				if _, err := w.read(ctx, apple.UserQuery{ClientUserID: id}); err != nil {
					return fmt.Errorf("looking user %s up: %w", id, err)
				}
				continue
			}
			doc.Value.Refusal = &Refusal{f.Number, doc.Value.Account, w.World.Now()}
			if items[doc.Key], err = doc.Encode(); err != nil {
				return err
			}
		}
	}
	return putAll(ctx, w.Store, items)
}

// read applies a listing of users, and returns the version of its first page: what comes while the others are read is newer.
func (w Worker) read(ctx context.Context, q apple.UserQuery) (version string, err error) {
	err = w.Apple.UserPages(ctx, q, 0, func(p apple.Page, rows []apple.User) error {
		version = cmp.Or(version, p.VersionID)
		rows, err := Confirm(ctx, w.Store.ReadStore, w.Apple, w.Identity.Location, rows)
		if err != nil {
			return err
		}
		_, err = Apply(ctx, w.Store, w.Identity.Location, rows, w.World.Now())
		return err
	})
	return version, err
}

// Forget notes that Apple says it has no such user (9609), so that the reader is created again.
func (w Worker) Forget(ctx context.Context, clientUserIDs []string) error {
	known, err := LoadMany(ctx, w.Store.ReadStore, w.Identity.Location, clientUserIDs)
	if err != nil {
		return err
	}
	items := make(map[table.Key]table.Item)
	for _, doc := range known {
		doc.Value.Status, doc.Value.Changed = New, w.World.Now()
		if items[doc.Key], err = doc.Encode(); err != nil {
			return err
		}
	}
	return putAll(ctx, w.Store, items)
}
