package applefake_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

// picture is everything that can be read of a location.
func (r *rig) picture() string {
	r.t.Helper()
	out := r.token
	for _, path := range []string{"/client/config", "/assets", "/users", "/assignments?includeUserState=true"} {
		for _, page := range r.walk(path) {
			out += "\n" + page.raw
		}
	}
	return out
}

// live makes something of every kind happen.
func (r *rig) live() (lastEvent string) {
	r.t.Helper()
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.post("/client/config", mdm("id", "name", "meta"))
	must(r.at.AddManagedAccount("guest@elsewhere.example"))
	must(r.at.LinkElsewhere("busy@school.example"))
	r.users("a", "b", "c")
	must(r.at.AddUser("d", "d@school.example", ""))
	r.accept("d", "d@private.example")
	r.finish("/assets/associate", want(book, "a", "b", "nobody"))
	r.finish("/assets/associate", want(app, "a", "b"))
	r.finish("/assets/disassociate", want(app, "a"))
	r.finish("/assets/revoke", `{"clientUserIds":["b"]}`)
	r.finish("/users/update", who("a", `,"email":"a@school.example"`))
	r.finish("/users/retire", who("c", ""))
	must(r.at.Purchase(book, "STDQ", 7))
	must(r.at.AddStock(applefake.Stock{AdamID: "900000555", Total: 1}))
	must(r.at.GrantBySomeoneElse(book, "STDQ", "d"))
	must(r.at.Refund(book, "STDQ", 1))
	must(r.at.RefundFrom(book, "STDQ", "b"))
	generated := r.get("/assignments").Assignments[0]
	must(r.at.RefundFrom(generated.AdamID, "STDQ", generated.ClientUserID))
	var err error
	r.token, err = r.at.IssueToken(start.AddDate(1, 0, 0))
	must(err)
	must(r.at.TakeOver(&applefake.MDMInfo{ID: "other", Name: "Other", Metadata: "m"}))
	r.post("/client/config", mdm("id", "name", "back again"))
	return r.post("/assets/associate", want(other, "a")).EventID
}

func journaled(t *testing.T, path string, now time.Time) *rig {
	t.Helper()
	clock := world.NewVirtual(7, now)
	r := build(t, applefake.Options{Clock: clock, Journal: path}, bulk(10, 30, 80))
	r.clock = clock
	return r
}

func TestARestartedFakeStillHasItsBooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	r := journaled(t, path, start)
	event := r.live()
	before, now := r.picture(), r.clock.Now()
	// Not closed: a killed fake loses nothing that it has answered.
	again := journaled(t, path, now)
	if after := again.picture(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if s := again.get("/status?eventId=" + event); s.EventStatus != "PENDING" {
		t.Errorf("the event under way: %s", s.raw)
	}
	r.clock.Advance(2 * time.Second)
	again.clock.Advance(2 * time.Second)
	if s := again.get("/status?eventId=" + event); s.EventStatus != "COMPLETE" || again.picture() != r.picture() {
		t.Errorf("the event under way ended with %s", s.raw)
	}
	again.sound()
}

func TestALastLineCutOffAtAnyByteIsAsIfNeverAsked(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	r := journaled(t, path, start)
	r.users("a", "b")
	r.finish("/assets/associate", want(book, "a"))
	before := r.picture()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r.post("/assets/associate", want(book, "b"))
	longer, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(longer) <= len(whole) || !bytes.HasPrefix(longer, whole) {
		t.Fatal("the journal was not appended to")
	}
	r.clock.Advance(2 * time.Second)
	after, now := r.picture(), r.clock.Now()
	for cut := len(whole); cut <= len(longer); cut++ {
		copied := filepath.Join(dir, "copy")
		if err := os.WriteFile(copied, longer[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again := journaled(t, copied, now)
		want := before
		if cut == len(longer) {
			want = after
		}
		if again.picture() != want {
			t.Fatalf("cut at byte %d of %d: another picture", cut-len(whole), len(longer)-len(whole))
		}
		// And the journal can be written on.
		again.users("z")
		if third := journaled(t, copied, again.clock.Now()); third.states("z") != "Associated" {
			t.Fatalf("cut at byte %d: what came later is lost", cut-len(whole))
		}
	}
}

func TestADamagedJournalIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	r := journaled(t, path, start)
	r.users("a")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"broken line in the middle": strings.Replace(string(whole), `{"at"`, `{"at`, 1),
		"unknown field":             strings.Replace(string(whole), `"op":`, `"opp":`, 1),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := applefake.New(applefake.Options{Clock: r.clock, Journal: path}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAJournalBelongsToItsSpec(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	journaled(t, path, start)
	server, err := applefake.New(applefake.Options{Clock: world.NewVirtual(1, start), Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.AddLocation(bulk(11, 30, 80)); err == nil {
		t.Error("another library took the journal")
	}
}

func TestAFakeThatCannotJournalRefuses(t *testing.T) {
	r := journaled(t, filepath.Join(t.TempDir(), "journal"), start)
	if err := r.server.Close(); err != nil {
		t.Fatal(err)
	}
	if a := r.post("/users/create", who("u", "")); a.ErrorNumber != 9603 || a.code != 500 {
		t.Errorf("got %s", a.raw)
	}
	if _, ok := r.server.NextDue(); ok {
		t.Error("what could not be journaled happened")
	}
	if err := r.at.Purchase(book, "STDQ", 1); err == nil {
		t.Error("a purchase that could not be journaled happened")
	}
}
