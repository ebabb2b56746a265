package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/world"
)

// bareDone is what the bare client's process says, at its end.
type bareDone struct {
	Wall, CPU time.Duration
	Memory    int64
	Rows      int
}

// bare sends what the job can't be done without, and keeps nothing: no table, no people, no laws but Apple's.
type bare struct {
	site   *apple.Location
	limits apple.Limits
	world  world.World
	poll   time.Duration
}

// runBare does the job's requests, each kind as often as the least is, with the product's own client and pace.
func runBare(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bare", flag.ContinueOnError)
	base := flags.String("apple", "", "base URL of Apple's service")
	token := flags.String("token", "", "content token, made up")
	titles := flags.Int("titles", 1, "titles")
	readers := flags.Int("readers", 1, "readers")
	poll := flags.Duration("poll-after", 200*time.Millisecond, "when a request is first looked at")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx = untilInputEnds(ctx)
	b, err := openBare(ctx, *base, *token, *poll)
	if err != nil {
		return err
	}
	began := b.world.Now()
	rows, err := b.give(ctx, *titles, *readers)
	if err != nil {
		return err
	}
	done := bareDone{Wall: b.world.Now().Sub(began), Rows: rows}
	done.CPU, done.Memory = usage()
	return sayJSON(out, done)
}

func openBare(ctx context.Context, base, token string, poll time.Duration) (bare, error) {
	content, err := apple.DecodeToken([]byte(token))
	if err != nil {
		return bare{}, err
	}
	w := world.Real()
	service, err := apple.NewService(apple.Options{BaseURL: base, World: w})
	if err != nil {
		return bare{}, err
	}
	config, err := service.Config(ctx)
	if err != nil {
		return bare{}, err
	}
	client, err := service.Open(content.Secret, apple.Identity{}).ClientConfig(ctx)
	if err != nil {
		return bare{}, err
	}
	const id = "11111111-1111-4111-8111-111111111111"
	site := service.Open(content.Secret, apple.Identity{UID: client.UID})
	if _, err := site.Claim(ctx, apple.MDMInfo{ID: id, Name: "Bare", Metadata: "bench"}); err != nil {
		return bare{}, err
	}
	site = service.Open(content.Secret, apple.Identity{UID: client.UID, MDMID: id})
	return bare{site: site, limits: config.Limits, world: w, poll: poll}, nil
}

// give creates the users, reads them, reads the counts, gives, and reads what was given.
func (b bare) give(ctx context.Context, titles, readers int) (rows int, err error) {
	users := make([]apple.NewUser, readers)
	ids := make([]string, readers)
	for i := range users {
		ids[i] = fmt.Sprintf("bare-%06d", i)
		users[i] = apple.NewUser{ClientUserID: ids[i], ManagedAppleID: userName(i)}
	}
	var events []string
	for chunk := range slices.Chunk(users, b.limits.MaxUsers) {
		event, err := b.site.CreateUsers(ctx, chunk)
		if err != nil {
			return 0, err
		}
		events = append(events, event)
	}
	if err := b.await(ctx, events); err != nil {
		return 0, err
	}
	if err := b.site.UserPages(ctx, apple.UserQuery{}, 0, func(apple.Page, []apple.User) error { return nil }); err != nil {
		return 0, err
	}
	var assets []apple.AssetKey
	q := apple.AssetQuery{ProductType: apple.ProductBook}
	err = b.site.AssetPages(ctx, q, 0, func(_ apple.Page, rows []apple.Asset) error {
		for _, row := range rows {
			assets = append(assets, row.AssetKey)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	events = nil
	for people := range slices.Chunk(ids, b.limits.MaxClientUserIDs) {
		for some := range slices.Chunk(assets[:titles], b.limits.MaxAssets) {
			a := apple.Association{Assets: some, ClientUserIDs: people, NotAfter: b.world.Now().Add(time.Minute)}
			event, err := b.site.Associate(ctx, a)
			if err != nil {
				return 0, err
			}
			events = append(events, event)
		}
	}
	if err := b.await(ctx, events); err != nil {
		return 0, err
	}
	err = b.site.AssignmentPages(ctx, apple.AssignmentQuery{}, 0, func(_ apple.Page, page []apple.Assignment) error {
		rows += len(page)
		return nil
	})
	return rows, err
}

// await looks at events until all have ended well.
func (b bare) await(ctx context.Context, events []string) error {
	if err := b.world.Sleep(ctx, b.poll); err != nil { // after the last of them; most have ended by then
		return err
	}
	for _, event := range events {
		for {
			state, err := b.site.Event(ctx, event)
			if err != nil {
				return err
			}
			if state.Status == apple.EventComplete {
				break
			}
			if state.Status != apple.EventPending {
				return fmt.Errorf("an event ended as %s", state.Status)
			}
			if err := b.world.Sleep(ctx, 3*b.poll); err != nil {
				return err
			}
		}
	}
	return nil
}
