// Package mark says what a location has to do, and from when on. Whoever makes work for a location puts a mark in the
// same Commit as the work; the location's worker reads the marks, does what is due, and removes a mark only if it is
// still the one that it read before it looked. So work is never lost, whatever becomes of a wake.
//
// A mark is not the work and not a queue: it carries no data, and one mark stands for any amount of the same work.
package mark
