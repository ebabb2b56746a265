// Package syncrun brings Apple's picture of a location into ours: the books with their counts and titles, the readers,
// and every license, given by us or by anybody else.
//
// A run is cut into chunks, so that it fits a function's time, and goes on where it stopped. A delta run reads what
// changed. A full run also reads every license, keeps only a sum for each book, and looks closer where a sum differs
// from ours: deltas never show what disappeared (design section 5, Sync).
//
// It decides nothing about wishes, and it is the only code that moves the version ids from which syncs go on.
package syncrun
