// Package auth says who calls and what they may do.
//
// A caller shows a bearer: a JWT that the operator's command signed ([Issuer], checked by [Verifier] with public keys
// only), or an opaque string ([Opaque]: the local stack's administrator, the identity provider's SCIM client). A [Gate]
// stands before a handler, and lets through whoever has the [Role] that it needs; the handler finds the [Caller] with [From].
//
// It keeps no accounts and no sessions, answers no error by itself (the protocol's own writer is injected), and knows no
// routes. No error or log of it holds any part of a bearer.
package auth
