package stack

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

const fakeURL = "http://127.0.0.1:1/mdm/v2"

// at are options for Apple at a URL, or for the demo.
func at(dir, apple string) Options {
	o := Options{
		Listen: "127.0.0.1:0", Data: dir, Apple: apple, ResendAfter: SafeResendAfter, PollAfter: time.Second, Sync: "0 5 * * *",
		Log: slog.New(slog.DiscardHandler),
	}
	if apple == "" {
		o.Apple, o.Demo = "http://127.0.0.1/mdm/v2", true
	}
	return o
}

// opens is whether a stack with the options can be opened; it is closed at once.
func opens(o Options) error {
	st, err := Open(o)
	if err != nil {
		return err
	}
	return st.Close()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestSpellingsOfOneURLAreOneApple(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		same          bool
	}{
		"a slash at the end":             {"https://a.example/mdm/v2", "https://a.example/mdm/v2/", true},
		"capitals":                       {"https://a.example/mdm/v2", "https://A.Example/mdm/v2", true},
		"the port of HTTPS":              {"https://a.example/mdm/v2", "https://a.example:443/mdm/v2", true},
		"another host":                   {"https://a.example/mdm/v2", "https://b.example/mdm/v2", false},
		"another port":                   {"https://a.example/mdm/v2", "https://a.example:8443/mdm/v2", false},
		"another path":                   {"https://a.example/mdm/v2", "https://a.example/mdm/v1", false},
		"a fake with another port":       {"http://127.0.0.1:9000/mdm/v2", "http://127.0.0.1:9001/mdm/v2", true},
		"a fake at another name":         {"http://127.0.0.1:9000/mdm/v2", "https://LocalHost/mdm/v2", true},
		"a fake and what isn't one":      {"http://127.0.0.1:9000/mdm/v2", "https://a.example/mdm/v2", false},
		"a fake and the demo's own":      {"http://127.0.0.1:9000/mdm/v2", "", false},
		"the demo's own, once and again": {"", "", true},
	} {
		dir := t.TempDir()
		must(t, opens(at(dir, c.first)))
		if err := opens(at(dir, c.second)); (err == nil) != c.same {
			t.Errorf("%s: %v", name, err)
		}
		if err := opens(at(dir, c.first)); err != nil {
			t.Errorf("%s: the first one again: %v", name, err)
		}
	}
}

// tokenFor stores that the location has a token, or only that it had one.
func tokenFor(t *testing.T, dir, location string, deleted bool) {
	t.Helper()
	d, err := enter(dir)
	must(t, err)
	store := table.NewStore(d.engine, world.Real())
	ops, err := token.Create(token.Record{ID: "made-up-" + location, Location: location, State: token.Valid})
	must(t, err)
	_, err = store.Commit(t.Context(), ops...)
	must(t, err)
	if deleted {
		doc, err := token.OfLocation(t.Context(), store.ReadStore, location)
		must(t, err)
		_, err = store.Commit(t.Context(), token.Delete(doc)...)
		must(t, err)
	}
	must(t, d.leave())
}

// What earlier versions have made isn't noted: it is told from what they kept, and noted from then on.
func TestADirectoryOfAnEarlierVersionIsKnownByWhatIsInIt(t *testing.T) {
	const somebodys = "1999999999999999"
	journal := func(t *testing.T, dir string) { t.Helper(); write(t, filepath.Join(dir, demo.Journal), "") }
	has := func(location string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { t.Helper(); tokenFor(t, dir, location, false) }
	}
	had := func(t *testing.T, dir string) { t.Helper(); tokenFor(t, dir, somebodys, true) }
	type made []func(*testing.T, string)
	for name, c := range map[string]struct {
		made made
		want owner
	}{
		"the demo's":                              {made{journal, has(demo.Location)}, demos},
		"the demo's, stopped before its upload":   {made{journal}, demos},
		"an installation's before its upload":     {nil, unknown},
		"an installation's":                       {made{has(somebodys)}, unknown},
		"a fake's with the demo's library":        {made{has(demo.Location)}, unknown},
		"an installation's, then the demo's too":  {made{has(somebodys), journal}, unknown},
		"the demo's, then an installation's too":  {made{journal, has(demo.Location), has(somebodys)}, unknown},
		"the same, when that token was taken out": {made{journal, has(demo.Location), had}, unknown},
	} {
		dir := t.TempDir()
		must(t, opens(at(dir, fakeURL)))
		must(t, os.Remove(filepath.Join(dir, ownerFile)))
		for _, add := range c.made {
			add(t, dir)
		}
		fitting, other := at(dir, "https://a.example/mdm/v2"), at(dir, "")
		if c.want == demos {
			fitting, other = other, fitting
		}
		refused := opens(other)
		if refused == nil || !strings.Contains(refused.Error(), "data directory of "+c.want.String()) {
			t.Errorf("%s: %v", name, refused)
		}
		must(t, opens(fitting))
		_ = os.Remove(filepath.Join(dir, demo.Journal)) // which some have
		if err := opens(other); err == nil {
			t.Errorf("%s: it isn't noted", name)
		}
	}
}

// Whoever dies between the two first steps leaves a table in which nothing is, and that is nobody's.
func TestATableWithNothingInItIsNobodys(t *testing.T) {
	for name, o := range map[string]Options{"the demo": at(t.TempDir(), ""), "an installation": at(t.TempDir(), fakeURL)} {
		d, err := enter(o.Data)
		must(t, err)
		must(t, d.leave())
		must(t, Reset(o.Data))
		if err := opens(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingIsMadeInADirectoryBeforeItIsNotedWhoseItIs(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, ownerFile+unfinished), 0o700)) // so the note can't be written
	if err := opens(at(dir, fakeURL)); err == nil || !strings.Contains(err.Error(), "noting to which Apple") {
		t.Errorf("it was opened: %v", err)
	}
	for _, name := range []string{vaultDir, keyFile, accessFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestANoteMayBeCorrectedByHandAndNonsenseIsRefused(t *testing.T) {
	const moved = "https://apple.example.org/mdm/v3"
	dir := t.TempDir()
	must(t, opens(at(dir, "https://apple.example.org/mdm/v2")))
	path := filepath.Join(dir, ownerFile)
	if err := opens(at(dir, moved)); err == nil || !strings.Contains(err.Error(), "write the new one into "+path) {
		t.Errorf("a new URL: %v", err)
	}
	write(t, path, "  "+moved+"/\r\n")
	must(t, opens(at(dir, moved)))
	for _, text := range []string{"", "unknown", "apple.example.org"} {
		write(t, path, text)
		err := opens(at(dir, moved))
		if err == nil || !strings.Contains(err.Error(), path+` must say "demo", "loopback" or the base URL`) {
			t.Errorf("%q: %v", text, err)
		}
		if err := Reset(dir); err == nil {
			t.Errorf("%q: it was reset", text)
		}
	}
}

// A reset that ends in the middle, also that of an earlier version's directory, is done again like a whole one.
func TestAResetThatWasCutShortIsDoneAgain(t *testing.T) {
	for name, cut := range map[string]func(dir string) error{
		"at a file that can't be removed": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, ownerFile)); err != nil {
				return err
			}
			if err := Reset(dir, "no such name\x00"); err == nil {
				return errors.New("it was whole")
			}
			return nil
		},
		"before the note": func(dir string) error { return os.Remove(filepath.Join(dir, TableFile)) },
	} {
		dir := filepath.Join(t.TempDir(), "data")
		must(t, opens(at(dir, "")))
		tokenFor(t, dir, demo.Location, false)
		write(t, filepath.Join(dir, demo.Journal), "")
		must(t, cut(dir))
		if err := Reset(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something is left", name)
		}
	}
}
