package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/bolt"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// The names of what a stack keeps in its data directory. Who has the table open has the directory.
const (
	TableFile  = "table.db"
	ownerFile  = "apple.txt" // in words, so that an administrator can read them, and correct them
	vaultDir   = "vault"
	keyFile    = "key.pem"
	accessFile = "access.json"
)

// data is a data directory that this program has to itself.
type data struct {
	dir    string
	engine *bolt.Table
}

// enter takes a data directory, and makes it when there is none.
func enter(dir string) (*data, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	engine, err := bolt.Open(filepath.Join(dir, TableFile), world.Real().Clock)
	if err != nil {
		return nil, err
	}
	return &data{dir, engine}, nil
}

// leave lets others have the directory.
func (d *data) leave() error { return d.engine.Close() }

func (d *data) path(name string) string { return filepath.Join(d.dir, name) }

func (d *data) has(name string) bool {
	_, err := os.Lstat(d.path(name))
	return !errors.Is(err, os.ErrNotExist)
}

// Claim notes to which Apple the options' data directory belongs, or says what to do when it belongs to another. Open does
// the same; this is for who writes into the directory before that.
func Claim(o Options) error {
	d, err := enterFor(o)
	if err != nil {
		return err
	}
	return d.leave()
}

// enterFor takes the options' data directory for their Apple.
func enterFor(o Options) (*data, error) {
	wanted, err := o.owner()
	if err != nil {
		return nil, err
	}
	d, err := enter(o.Data)
	if err != nil {
		return nil, err
	}
	if err := d.claim(wanted); err != nil {
		return nil, errors.Join(err, d.leave())
	}
	return d, nil
}

// claim notes the owner, or refuses what is another's. It comes before anything else is made in the directory: whoever dies
// before it has left nothing that could be lost, and whoever dies after it has left the note.
func (d *data) claim(wanted owner) error {
	found, err := d.owner()
	if err != nil {
		return err
	}
	adopted := found == nobody || found == unknown && wanted != demos
	if found != wanted && !adopted {
		return d.refuse(found, wanted)
	}
	if d.has(ownerFile) {
		return nil
	}
	if err := keep(d.path(ownerFile), []byte(wanted+"\n")); err != nil {
		return fmt.Errorf("noting to which Apple the data directory belongs: %w", err)
	}
	return nil
}

// refuse says what the directory is, and the ways out.
func (d *data) refuse(found, wanted owner) error {
	instead, moved := "to begin with another Apple", ""
	switch {
	case wanted == demos:
		instead = "to see the demo"
	case found != demos:
		moved = fmt.Sprintf(". Only if this is the same Apple at a new URL, write the new one into %s", d.path(ownerFile))
	}
	return fmt.Errorf("%s is the data directory of %s; nothing was changed. To go on there, %s; %s, choose another directory "+
		"with -data%s", d.dir, found, found.goOn(), instead, moved)
}

// owner is whose the directory is: as noted, or as what is in it tells.
func (d *data) owner() (owner, error) {
	text, err := os.ReadFile(d.path(ownerFile))
	if errors.Is(err, os.ErrNotExist) {
		return d.infer()
	}
	if err != nil {
		return nobody, fmt.Errorf("reading to which Apple the data directory belongs: %w", err)
	}
	found, err := parseOwner(string(text))
	if err != nil {
		return nobody, fmt.Errorf(`%s must say "demo", "loopback" or the base URL of Apple's service: %w`, d.path(ownerFile), err)
	}
	return found, nil
}

// infer tells whose a directory without a note is: an earlier version has made it, or whoever made it died at once. Earlier
// versions let the demo into anybody's directory, and anybody into the demo's, so the fake's journal alone doesn't make it
// the demo's: where another location ever had a token, there may be the reasons for licenses that exist.
func (d *data) infer() (owner, error) {
	locations, err := d.locations()
	if err != nil {
		return nobody, err
	}
	switch {
	case slices.ContainsFunc(locations, func(uID string) bool { return uID != demo.Location }):
		return unknown, nil
	case d.has(demo.Journal):
		return demos, nil
	case len(locations) > 0 || d.has(keyFile): // the key was made before anybody could call
		return unknown, nil
	default:
		return nobody, nil
	}
}

// locations are the uIds of all locations that have a token or had one. The first versions kept only those that have one.
func (d *data) locations() ([]string, error) {
	store := table.NewReadStore(d.engine, world.Real())
	uIDs, err := token.Locations(context.Background(), store)
	if err != nil {
		return nil, err
	}
	records, err := token.All(context.Background(), store)
	for _, r := range records {
		uIDs = append(uIDs, r.Value.Location)
	}
	return uIDs, err
}
