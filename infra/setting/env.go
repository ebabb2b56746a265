package setting

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Env reads settings and gathers what is wrong with them, so that an operator hears all of it at once. Not safe for
// concurrent use.
type Env struct {
	lookup func(string) (string, bool)
	faults []error
}

// New returns settings from a lookup, usually os.LookupEnv.
func New(lookup func(string) (string, bool)) *Env { return &Env{lookup: lookup} }

// Err is everything that was wrong with what has been read so far.
func (e *Env) Err() error { return errors.Join(e.faults...) }

// Refuse notes that a value makes no sense.
func (e *Env) Refuse(name Name, why error) {
	e.faults = append(e.faults, fmt.Errorf("%s: %w (%s)", name, why, declared(name).Help))
}

// Text is the value as it is.
func (e *Env) Text(name Name) string {
	s := declared(name)
	value, _ := e.lookup(string(name))
	if value == "" {
		value = s.Default
	}
	if value == "" && s.Needed {
		e.Refuse(name, errors.New("it is needed, and empty"))
	}
	return value
}

// List is the value cut at its commas, without empty parts.
func (e *Env) List(name Name) []string {
	var list []string
	for part := range strings.SplitSeq(e.Text(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// Duration is the value as a time that is not negative, e.g. 10m.
func (e *Env) Duration(name Name) time.Duration {
	d, err := time.ParseDuration(e.Text(name))
	if err == nil && d < 0 {
		err = errors.New("it is negative")
	}
	if err != nil {
		e.Refuse(name, err)
	}
	return d
}

// Count is the value as a number that is not negative.
func (e *Env) Count(name Name) int {
	n, err := strconv.Atoi(e.Text(name))
	if err == nil && n < 0 {
		err = errors.New("it is negative")
	}
	if err != nil {
		e.Refuse(name, err)
	}
	return n
}

// Time is the value as a moment, zero if it is empty, e.g. 2030-09-02T09:00:00Z.
func (e *Env) Time(name Name) time.Time {
	text := e.Text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		e.Refuse(name, err)
	}
	return at.UTC()
}

// Switch is the value as true or false.
func (e *Env) Switch(name Name) bool {
	on, err := strconv.ParseBool(e.Text(name))
	if err != nil {
		e.Refuse(name, err)
	}
	return on
}

func declared(name Name) Setting {
	all := All()
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{Name: name}
	}
	return all[i]
}

// SecretPrefix is what the names of the installation's secrets begin with. template.yaml's rights end there.
func (e *Env) SecretPrefix() string { return "bookplate/" + e.Text(Stage) + "/" }
