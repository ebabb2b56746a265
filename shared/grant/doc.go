// Package grant spends. It turns what the decision says into batches, sends them, and finds out what became of them.
//
// A batch is stored before it is sent, and what can't be known is waited out, never guessed (design laws 1, 2, 3 and
// 5). The package runs inside a location's worker; but nothing it does is unsafe if another worker does it at the same
// time, or if it stands still for an hour between two lines: every step that matters is a Commit that fails when the
// world has moved on.
package grant
