package auth

import (
	"context"
	"fmt"
	"strings"
)

// Role is what a caller may do. Reader, Viewer, Manager and Administrator are steps, each with all rights of the ones before;
// IdentityProvider stands apart: it feeds the directory and nothing else, and nobody else does.
type Role int

// The roles.
const (
	None             Role = iota
	Reader                // a person of the directory: asks for books for themselves, and sees their own requests
	Viewer                // reads everything but secrets
	Manager               // also spends: assigns books, answers requests, syncs
	Administrator         // also owns: tokens, take-overs, approvals
	IdentityProvider      // people and groups over SCIM
)

var roleNames = [...]string{"none", "reader", "viewer", "manager", "administrator", "identityProvider"}

func (r Role) String() string {
	if r < 0 || int(r) >= len(roleNames) {
		return fmt.Sprintf("Role(%d)", int(r))
	}
	return roleNames[r]
}

// Allows says whether a caller with role r may do what needs the role need.
func (r Role) Allows(need Role) bool {
	if r == IdentityProvider || need == IdentityProvider {
		return r == need
	}
	return r >= need && need > None
}

// ParseRole reads a role's name, regardless of letter case.
func ParseRole(name string) (Role, error) {
	for r := Reader; r <= IdentityProvider; r++ {
		if strings.EqualFold(name, r.String()) {
			return r, nil
		}
	}
	return None, fmt.Errorf("there is no role %q: the roles are %s", name, strings.Join(roleNames[Reader:], ", "))
}

// roleOf is the highest role among names: our own names, and the scopes of Graph (reference: Graph, "Permissions"), so that
// tokens made for Graph's scopes work too. Apps.ReadWrite is a manager's and ServiceConfig.ReadWrite an administrator's
// right: Graph would let either write content tokens, but here a token opens the purse, and books are given from it.
// An identity provider's role never mixes with the others.
func roleOf(names []string) Role {
	scopes := map[string]Role{
		"devicemanagementapps.read.all":               Viewer,
		"devicemanagementserviceconfig.read.all":      Viewer,
		"devicemanagementapps.readwrite.all":          Manager,
		"devicemanagementserviceconfig.readwrite.all": Administrator,
	}
	highest, provider := None, false
	for _, name := range names {
		r, ok := scopes[strings.ToLower(name)]
		if !ok {
			var err error
			if r, err = ParseRole(name); err != nil {
				continue // a role of something else
			}
		}
		if r == IdentityProvider {
			provider = true
			continue
		}
		highest = max(highest, r)
	}
	if provider && highest == None {
		return IdentityProvider
	}
	return highest
}

// Caller is who calls.
type Caller struct {
	// Subject identifies the caller and is recorded with what they do, e.g. "anna@school.example".
	Subject string
	// Name is for people; may be empty.
	Name string
	Role Role
}

type callerKey struct{}

// With is ctx with the caller in it.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From is the caller that a Gate let through; without a Gate, the zero Caller, whose role allows nothing.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
