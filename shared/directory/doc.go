// Package directory is the people and groups that an identity provider tells us about: their items, keys, writes and
// queries.
//
// It stores what it is told, unchanged, and it doesn't decide what follows: it tells an [Announcer] what changed, before
// and after, and somebody else puts the marks. It knows no protocol (SCIM is functions/directory) and no books.
//
// Three rules carry it. A membership is one item of its own, written and removed without looking at the group, so that
// two requests at once lose nothing. A person's id is ours and outlives everything that the provider may change, and a
// deleted person's item stays, because the ledger must still be able to say who it was. A disabled person keeps their
// memberships, because a provider that enables them again doesn't repeat them.
package directory
