package stack

import (
	"errors"
	"fmt"
	"os"

	"github.com/bookplate/bookplate/infra/local/demo"
)

// Reset removes what the demo keeps in its data directory, with the files of these names besides, and the directory when
// nothing else is in it. It refuses one that is in use, and one that isn't the demo's: nothing brings back what is there.
func Reset(dir string, besides ...string) error {
	d := &data{dir: dir}
	if !d.has(TableFile) && !d.has(ownerFile) {
		return nil // nothing of ours there
	}
	d, err := enter(dir)
	if err != nil {
		return err
	}
	found, err := d.owner()
	switch {
	case err != nil || found == nobody: // where nothing is kept, nothing is removed
		return errors.Join(err, d.leave())
	case found != demos:
		return errors.Join(d.spare(found), d.leave())
	}
	// An earlier version has noted nothing. Without the note, what is left of a directory wouldn't look like the demo's.
	if err := d.claim(demos); err != nil {
		return errors.Join(err, d.leave())
	}
	return d.remove(besides)
}

// spare says what would have been lost, and how to lose it.
func (d *data) spare(found owner) error {
	return fmt.Errorf("only the demo's data can be removed, and %s is the data directory of %s; nothing was removed. It would "+
		"have destroyed the ledger with the reasons for every license (%s), the content tokens (%s) and everybody's access "+
		"(%s, %s), and no license would have come back. If that is really wanted: stop the program, make a copy of the "+
		"directory, and remove those and %s by hand",
		d.dir, found, TableFile, vaultDir, keyFile, accessFile, ownerFile)
}

// remove removes everything, and leaves. The table goes last but one, as it holds the lock, and the note goes last: until
// then it says that the rest may go too.
func (d *data) remove(besides []string) error {
	names := append([]string{
		vaultDir, keyFile, keyFile + unfinished, accessFile, accessFile + unfinished, ownerFile + unfinished, demo.Journal,
	}, besides...)
	var err error
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(d.path(name)))
	}
	if err := errors.Join(err, d.leave()); err != nil {
		return err
	}
	for _, name := range []string{TableFile, ownerFile} {
		if err := os.Remove(d.path(name)); err != nil {
			return err
		}
	}
	_ = os.Remove(d.dir) // stays when there is something of somebody else's
	return nil
}
