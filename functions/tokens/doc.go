// Package tokens answers for vppTokens: it takes a location's content token, claims the location for this installation,
// renews and releases it, and orders syncs. It is the only function that writes the vault.
//
// A token goes from the request's body to Apple and into the vault, and nowhere else (design law 8).
package tokens
