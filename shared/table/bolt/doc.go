// Package bolt is the table engine of the one-program stack: one bbolt file, owned by one process. What a Commit
// reported done is on the disk. Commits that wait for the disk at the same time share one transaction, and with it the
// wait.
//
// It is not for several machines, and doesn't inject leaks; that is what table/dynamo and table/mem are for.
package bolt
