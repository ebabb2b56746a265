package stage

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
)

// Vault keeps secrets in memory. It outlives the process.
type Vault struct{ secrets map[string]vault.Secret }

// Get returns a secret.
func (v *Vault) Get(_ context.Context, name, version string) (vault.Secret, error) {
	secret, ok := v.secrets[name+"/"+version]
	if !ok {
		return vault.Secret{}, fmt.Errorf("secret %s: %w", name, vault.ErrAbsent)
	}
	return secret, nil
}

// Put keeps a secret.
func (v *Vault) Put(_ context.Context, name, version string, secret vault.Secret) error {
	v.secrets[name+"/"+version] = secret
	return nil
}

// Delete forgets a secret.
func (v *Vault) Delete(_ context.Context, name string) error {
	for key := range v.secrets {
		if len(key) > len(name) && key[:len(name)+1] == name+"/" {
			delete(v.secrets, key)
		}
	}
	return nil
}

// wakes are those that wait for their time. One location has at most one: the earliest.
type wakes struct{ list []wake }

type wake struct {
	location string
	at       time.Time
}

// Wake asks for a wake.
func (w *wakes) Wake(_ context.Context, location string, notBefore time.Time) error {
	for i := range w.list {
		if w.list[i].location == location {
			if notBefore.Before(w.list[i].at) {
				w.list[i].at = notBefore
			}
			return nil
		}
	}
	w.list = append(w.list, wake{location, notBefore})
	return nil
}

// next takes out the earliest wake.
func (w *wakes) next() (wake, bool) {
	if len(w.list) == 0 {
		return wake{}, false
	}
	first := 0
	for i := range w.list {
		if w.list[i].at.Before(w.list[first].at) {
			first = i
		}
	}
	next := w.list[first]
	w.list = append(w.list[:first:first], w.list[first+1:]...)
	return next, true
}
