package play

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/vault"
)

// vaultOf is the vault as a process reaches it.
type vaultOf struct{ process *process }

var errVault = errors.New("the vault answers with an error")

func (v vaultOf) around(do func() error) error {
	s, w := v.process, v.process.play.weather
	s.lives()
	if w.strikes(crashBeforeVault) {
		s.dies()
	}
	if w.strikes(vaultFailed) {
		return errVault
	}
	err := do()
	if w.strikes(crashAfterVault) {
		s.dies()
	}
	return err
}

// Get is the port's.
func (v vaultOf) Get(_ context.Context, name, version string) (secret vault.Secret, err error) {
	err = v.around(func() error {
		var ok bool
		if secret, ok = v.process.play.secrets[name+"/"+version]; !ok {
			return fmt.Errorf("secret %s: %w", name, vault.ErrAbsent)
		}
		return nil
	})
	return secret, err
}

// Put is the port's.
func (v vaultOf) Put(_ context.Context, name, version string, secret vault.Secret) error {
	return v.around(func() error {
		v.process.play.secrets[name+"/"+version] = secret
		return nil
	})
}

// Delete is the port's.
func (v vaultOf) Delete(_ context.Context, name string) error {
	return v.around(func() error {
		maps.DeleteFunc(v.process.play.secrets, func(key string, _ vault.Secret) bool { return strings.HasPrefix(key, name+"/") })
		return nil
	})
}

// queueOf is the queue as a process reaches it.
type queueOf struct{ process *process }

var errQueue = errors.New("the queue answers with an error")

// Wake is the port's.
func (q queueOf) Wake(_ context.Context, location string, notBefore time.Time) error {
	s, p := q.process, q.process.play
	s.lives()
	if p.weather.strikes(crashBeforeWake) {
		s.dies()
	}
	if p.weather.strikes(wakeFailed) {
		return errQueue
	}
	p.enqueue(location, notBefore)
	if p.weather.strikes(crashAfterWake) {
		s.dies()
	}
	return nil
}

// wake is a hint that is under way.
type wake struct {
	location string
	at       time.Time
}

func (p *Play) enqueue(location string, at time.Time) {
	now := p.clock.Now()
	if at.Before(now) {
		at = now
	}
	if limit := now.Add(queue.MaxDelay); at.After(limit) {
		at = limit
	}
	if p.weather.strikes(wakeDropped) {
		return
	}
	if p.weather.strikes(wakeDelayed) {
		at = at.Add(time.Duration(p.chaos.IntN(600)) * time.Second)
	}
	p.wakes = append(p.wakes, wake{location, at})
	if p.weather.strikes(wakeDuplicated) {
		p.wakes = append(p.wakes, wake{location, at.Add(time.Duration(p.chaos.IntN(90)) * time.Second)})
	}
}

// nextWake takes out the next wake that is due by then: the earliest, or another one.
func (p *Play) nextWake(by time.Time) (wake, bool) {
	slices.SortStableFunc(p.wakes, func(a, b wake) int { return a.at.Compare(b.at) })
	due := 0
	for due < len(p.wakes) && !p.wakes[due].at.After(by) {
		due++
	}
	if due == 0 {
		return wake{}, false
	}
	i := 0
	if due > 1 && p.weather.strikes(wakeReordered) {
		i = 1 + p.chaos.IntN(due-1)
	}
	next := p.wakes[i]
	p.wakes = slices.Delete(p.wakes, i, i+1)
	return next, true
}
