package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/bookplate/bookplate/infra/bench/measure"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/world"
)

// phase is a part of the job and what it cost the product's process.
type phase struct {
	name      string
	wall, cpu time.Duration
	calls     measure.Calls
	memory    int64 // the most there were up to its end
	requests  int   // to Apple
}

// lived is what the job cost in processes of their own, over the network of this machine.
type lived struct {
	counted
	phases []phase
	bare   bareDone
}

// live does the job with the product's program, and beside it with a bare client.
type live struct {
	titles, readers int
	pollAfter       time.Duration
	show            *progress
	messages        io.Writer

	fake    appleHello
	product productHello
	admin   client
	last    snapshot
	phases  []phase
}

// snapshot is everything at a moment.
type snapshot struct {
	at    time.Time
	cost  productCost
	apple appleSeen
}

func (l *live) run(ctx context.Context) (result lived, err error) {
	dir, err := os.MkdirTemp("", "bookplate-bench-")
	if err != nil {
		return lived{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fake, err := l.startApple(ctx, &l.fake)
	if err != nil {
		return lived{}, err
	}
	defer func() { err = errors.Join(err, fake.stop()) }()
	product, err := start(ctx, l.messages, &l.product, "product", "-data", dir, "-apple", l.fake.URL,
		"-poll-after", l.pollAfter.String())
	if err != nil {
		return lived{}, err
	}
	defer func() { err = errors.Join(err, product.stop()) }()
	l.admin = newClient(l.product.URL, l.product.Admin)
	if result, err = l.job(ctx); err != nil {
		return lived{}, err
	}
	if result.bare, err = l.besides(ctx); err != nil {
		return lived{}, err
	}
	return result, nil
}

func (l *live) startApple(ctx context.Context, hello *appleHello) (*child, error) {
	return start(ctx, l.messages, hello, "apple", "-titles", strconv.Itoa(l.titles), "-readers", strconv.Itoa(l.readers))
}

// job is the main job, over the product's own interface.
func (l *live) job(ctx context.Context) (lived, error) {
	var err error
	if l.last, err = l.look(ctx); err != nil {
		return lived{}, err
	}
	if err := l.phase(ctx, "upload, first sync", l.upload); err != nil {
		return lived{}, err
	}
	var group string
	err = l.phase(ctx, "people over SCIM", func(ctx context.Context) (err error) {
		group, err = enroll(ctx, newClient(l.product.URL, l.product.SCIM), l.readers, l.show)
		return err
	})
	if err != nil {
		return lived{}, err
	}
	config, err := l.config(ctx)
	if err != nil {
		return lived{}, err
	}
	before := l.last
	err = l.phase(ctx, "readers and licenses", func(ctx context.Context) error { return l.give(ctx, group) })
	if err != nil {
		return lived{}, err
	}
	if l.last.apple.Twice > 0 {
		return lived{}, fmt.Errorf("%d licenses were spent twice", l.last.apple.Twice)
	}
	return lived{phases: l.phases, counted: counted{
		job:    measure.Job{Titles: l.titles, Readers: l.readers, Limits: config.Limits, PageSize: pageSize, AtOnce: atOnce},
		counts: less(l.last.apple.Counts, before.apple.Counts), rows: less(l.last.apple.Rows, before.apple.Rows),
		calls: l.last.cost.Calls.Sub(before.cost.Calls), took: l.last.at.Sub(before.at),
	}}, nil
}

func (l *live) config(ctx context.Context) (apple.ServiceConfig, error) {
	service, err := apple.NewService(apple.Options{BaseURL: l.fake.URL, World: world.Real()})
	if err != nil {
		return apple.ServiceConfig{}, err
	}
	return service.Config(ctx)
}

// phase does a part and notes what it cost.
func (l *live) phase(ctx context.Context, name string, do func(context.Context) error) error {
	before := l.last
	if err := do(ctx); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	now, err := l.look(ctx)
	if err != nil {
		return err
	}
	requests := 0
	for _, n := range less(now.apple.Counts, before.apple.Counts) {
		requests += n
	}
	l.last = now
	l.phases = append(l.phases, phase{
		name: name, wall: now.at.Sub(before.at), cpu: now.cost.CPU - before.cost.CPU, memory: now.cost.Memory,
		calls: now.cost.Calls.Sub(before.cost.Calls), requests: requests,
	})
	return nil
}

func (l *live) look(ctx context.Context) (s snapshot, err error) {
	if err := newClient(l.product.Cost, "").do(ctx, http.MethodGet, "", "", "", &s.cost); err != nil {
		return s, fmt.Errorf("asking what it has cost: %w", err)
	}
	s.at = world.Real().Now()
	s.apple, err = seen(ctx, l.fake.Seen)
	return s, err
}

const tokensPath = "/v1.0/deviceAppManagement/vppTokens"

func (l *live) upload(ctx context.Context) error {
	if err := l.admin.do(ctx, http.MethodPost, tokensPath, "text/plain", l.fake.Token, nil); err != nil {
		return err
	}
	return l.until(ctx, func(ctx context.Context) (bool, error) {
		var list struct {
			Value []struct{ LastSyncStatus string }
		}
		err := l.admin.do(ctx, http.MethodGet, tokensPath, "", "", &list)
		return err == nil && len(list.Value) == 1 && list.Value[0].LastSyncStatus == "completed", err
	})
}

// give makes every title required for the group, and waits until all have them and nothing is under way.
func (l *live) give(ctx context.Context, group string) error {
	var books struct{ Value []struct{ ID string } }
	err := l.admin.do(ctx, http.MethodGet, "/v1.0/deviceAppManagement/managedEBooks?$top=1000", "", "", &books)
	if err != nil {
		return err
	}
	if len(books.Value) != l.titles {
		return fmt.Errorf("the library has %d books, not %d", len(books.Value), l.titles)
	}
	for _, b := range books.Value {
		err := l.admin.send(ctx, http.MethodPost, "/v1.0/deviceAppManagement/managedEBooks/"+b.ID+"/assign", "application/json",
			object{"managedEBookAssignments": []object{{
				"installIntent": "required",
				"target":        object{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": group},
			}}}, nil)
		if err != nil {
			return err
		}
	}
	return l.until(ctx, func(ctx context.Context) (bool, error) {
		now, err := l.look(ctx)
		l.show.say("%d of %d licenses at Apple, %d batches under way", now.apple.Given, l.titles*l.readers, now.cost.Open)
		return now.apple.Given == l.titles*l.readers && now.cost.Open == 0 && now.cost.Due == 0, err
	})
}

// until asks again and again until done says so.
func (l *live) until(ctx context.Context, done func(context.Context) (bool, error)) error {
	for {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		if err := world.Real().Sleep(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
}

// besides has a bare client do the same to a second fake.
func (l *live) besides(ctx context.Context) (done bareDone, err error) {
	l.show.say("the bare client")
	var hello appleHello
	fake, err := l.startApple(ctx, &hello)
	if err != nil {
		return bareDone{}, err
	}
	defer func() { err = errors.Join(err, fake.stop()) }()
	c, err := start(ctx, l.messages, &done, "bare", "-apple", hello.URL, "-token", hello.Token,
		"-titles", strconv.Itoa(l.titles), "-readers", strconv.Itoa(l.readers), "-poll-after", l.pollAfter.String())
	if err != nil {
		return bareDone{}, err
	}
	if err := c.stop(); err != nil {
		return bareDone{}, err
	}
	if done.Rows != l.titles*l.readers {
		return bareDone{}, fmt.Errorf("the bare client read %d licenses, not %d", done.Rows, l.titles*l.readers)
	}
	return done, nil
}

// patch is the body that adds members to a group.
func patch(members []object) string {
	body, _ := json.Marshal(object{ // strings always marshal
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []object{{"op": "add", "path": "members", "value": members}},
	})
	return string(body)
}
