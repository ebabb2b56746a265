// Package mem is the table engine for tests and simulations. It keeps everything in memory, keeps every limit and counts
// every unit, and on request leaks what the port says may leak: see [Faults]. Nothing leaks unless asked for.
//
// It is not for production: nothing survives the process. A test of a crash keeps the Table and builds new domain
// objects on it.
package mem
