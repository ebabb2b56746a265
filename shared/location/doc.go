// Package location does a location's work: it takes the lease, reads the marks, does what is due in the order settle,
// grants, retirements, readers, large plans, sync, and asks to be woken for what is due next. It is the one place from
// which Apple's write calls start.
//
// It holds no rules of its own about people or licenses; those are grant's, reader's and syncrun's.
package location
