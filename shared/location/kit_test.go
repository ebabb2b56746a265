package location_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/location"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	uid   = "1000000000000001"
	mdmID = "33333333-3333-4333-8333-333333333333"
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// bench is a claimed location with a worker and Apple's fake.
type bench struct {
	*testing.T
	clock  *world.Virtual
	engine *mem.Table
	store  *table.Store
	fake   *applefake.Server
	site   *applefake.Location
	worker location.Worker
	wakes  []time.Time
	// wire, if set, is called ahead of every request to Apple, with its path.
	wire func(path string)
}

// safe holds one secret.
type safe struct{ secret vault.Secret }

func (s safe) Get(context.Context, string, string) (vault.Secret, error) { return s.secret, nil }

func newBench(t *testing.T) *bench {
	t.Helper()
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	store := table.NewStore(engine, v.World())
	b := &bench{T: t, clock: v, engine: engine, store: store}
	var err error
	b.fake, err = applefake.New(applefake.Options{Clock: v, Seed: 1, BaseURL: "http://127.0.0.1"})
	b.must(err)
	b.site, err = b.fake.AddLocation(applefake.LocationSpec{
		Name: "Library", UID: uid, Stock: []applefake.Stock{{AdamID: "900000001", Total: 10}},
	})
	b.must(err)
	text, err := b.site.IssueToken(start.AddDate(1, 0, 0))
	b.must(err)
	content, err := apple.DecodeToken([]byte(text))
	b.must(err)
	service, err := apple.NewService(apple.Options{
		BaseURL: "http://127.0.0.1/mdm/v2", HTTP: transport{b}, World: v.World(), Timeout: -1,
	})
	b.must(err)
	opened := service.Open(content.Secret, apple.Identity{UID: uid})
	_, err = opened.Claim(t.Context(), apple.MDMInfo{ID: mdmID, Name: "Bookplate", Metadata: "made up"})
	b.must(err)
	ops, err := token.Create(token.Record{
		ID: token.ID(mdmID, uid), Location: uid, MDMID: mdmID, SecretVersion: "v1", State: token.Valid, Country: "us",
		AccountType: token.Education, Expires: content.Expires,
	})
	b.must(err)
	b.commit(ops...)
	b.worker = location.Worker{
		Store: store, World: v.World(), Vault: safe{content.Secret}, Service: service,
		Directory: directory.NewReader(store.ReadStore), Queue: b, Log: slog.New(slog.DiscardHandler),
		Pace:   grant.Pace{ResendAfter: 10 * time.Minute, Poll: 10 * time.Second, MaxOpen: 5},
		Budget: location.DefaultBudget, Chunk: location.DefaultChunk,
	}
	return b
}

type transport struct{ b *bench }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.b.wire != nil {
		t.b.wire(r.URL.Path)
	}
	return t.b.fake.Transport().RoundTrip(r)
}

// Wake notes a wake.
func (b *bench) Wake(_ context.Context, _ string, notBefore time.Time) error {
	b.wakes = append(b.wakes, notBefore)
	return nil
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) commit(ops ...table.Op) {
	b.Helper()
	_, err := b.store.Commit(b.Context(), ops...)
	b.must(err)
}

func (b *bench) mark(kind mark.Kind, subject string, due time.Time) {
	b.Helper()
	b.commit(mark.New(uid, kind, subject, due))
}

func (b *bench) work() {
	b.Helper()
	b.must(b.worker.Work(b.Context(), uid))
}

func (b *bench) lease() token.Lease {
	b.Helper()
	doc, err := token.LoadLocation(b.Context(), b.store.ReadStore, uid)
	b.must(err)
	return doc.Value.Lease
}

func (b *bench) setLease(l token.Lease) {
	b.Helper()
	doc, err := token.LoadLocation(b.Context(), b.store.ReadStore, uid)
	b.must(err)
	doc.Value.Lease = l
	op, err := doc.Save()
	b.must(err)
	b.commit(op)
}

// marks are when the location's marks are due, by "kind#subject".
func (b *bench) marks() map[string]time.Time {
	b.Helper()
	list, err := mark.Read(b.Context(), b.store.ReadStore, uid)
	b.must(err)
	marks := map[string]time.Time{}
	for _, m := range list {
		marks[string(m.Kind)+"#"+m.Subject] = m.Due
	}
	return marks
}

func (b *bench) record() token.Record {
	b.Helper()
	doc, err := token.OfLocation(b.Context(), b.store.ReadStore, uid)
	b.must(err)
	return doc.Value
}
