// Package standing says how people stand with a book, for whoever answers about it: as the table has it, and where that is
// older than what has happened since, as the decision that grants obey has it now. It stores nothing.
package standing
