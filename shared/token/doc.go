// Package token keeps what we know of a content token and of the location that it opens: the record that an
// administrator sees, and the state that the location's worker writes (its lease, the progress and the results of its
// syncs). The token itself is in the vault; the record names its version there.
//
// The package is records, keys and queries. Uploading a token is functions/tokens' work, syncing syncrun's.
package token
