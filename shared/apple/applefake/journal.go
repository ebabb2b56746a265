package applefake

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// journal keeps every accepted change in a file, one JSON object a line, synced before the change is made and answered.
type journal struct {
	file   *os.File
	old    map[string][]op // what the file said at the start, by location, until replayed
	broken error           // a write that failed: nothing may follow it
}

func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: file, old: map[string][]op{}}
	if err := j.read(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// read takes in all whole lines and cuts off a last one without an end: it was being written when the process died, and
// nobody has had an answer to it.
func (j *journal) read() error {
	reader := bufio.NewReader(j.file)
	var whole int64
	for n := 1; ; n++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var o op
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&o); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		j.old[o.UID] = append(j.old[o.UID], o)
		whole += int64(len(line))
	}
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	_, err := j.file.Seek(whole, io.SeekStart)
	return err
}

// replay lets everything happen again that the journal says of a location, or begins the location's journal.
func (j *journal) replay(l *Location) error {
	old, spec := j.old[l.uid], l.digest()
	delete(j.old, l.uid)
	if len(old) == 0 {
		return j.write(l, op{At: l.server.options.Clock.Now(), UID: l.uid, Kind: opLocation, Spec: spec})
	}
	if old[0].Kind != opLocation || old[0].Spec != spec {
		return errors.New("the journal was written for a location of the same uId with other content or switches")
	}
	l.again(old[1:])
	return nil
}

func (j *journal) write(l *Location, o op) error {
	if l.silent {
		return nil
	}
	if j.broken != nil {
		return j.broken
	}
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err = j.file.Write(append(line, '\n')); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = fmt.Errorf("an earlier change may be half written: %w", err)
	}
	return err
}

func (j *journal) close() error { return j.file.Close() }

// digest sums up what decides, beside the journal, what a location's books look like.
func (l *Location) digest() string {
	o := l.server.options
	// Strings, numbers and booleans can always be marshaled.
	raw, _ := json.Marshal(struct {
		Spec                 LocationSpec
		Seed                 uint64
		Shortage             ShortageMode
		Duplicate            DuplicateMode
		Register, KeepTokens bool
	}{l.spec, o.Seed, o.Shortage, o.DuplicateAssign, o.RegisterOnLinkFailure, o.KeepOldTokens})
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
