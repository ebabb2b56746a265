// Package directory is the SCIM 2.0 server at /scim/v2 (RFC 7643, RFC 7644) through which an identity provider tells us
// about people and groups. It is written for what Microsoft Entra ID and Okta really send.
//
// A request goes through five hands: the door (handler.go: caller, size, panics, log), the normalizer (normalize.go:
// turns what providers send into what the RFC means), the library github.com/elimity-com/scim (library.go: holds the
// body against the schemas and parses PATCH paths), the translation into the words of shared/directory (users.go,
// groups.go, *patch.go, filter.go), and render.go on the way back.
//
// The library only ever reads. It applies no patch and evaluates no filter: its PassesFilter panics on a filter that
// Entra sends, and its error texts would show the client what the table said.
//
// Attributes of RFC 7643 that Bookplate has no use for (addresses, phone numbers, manager …) are accepted and dropped:
// providers send them by default, and what isn't stored can't leak. What nobody defines is refused as the RFC says.
package directory
