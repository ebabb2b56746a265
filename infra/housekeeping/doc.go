// Package housekeeping holds the house rules that linters can't say: which package may import which, that code which
// decides starts no goroutine, how long a file may be, what a package may not be called; and that template.yaml, the
// API's description and the sample events are what the functions' code says.
//
// It is tests only, and knows the tree as text: it runs nothing of the product but the functions' lists of routes.
package housekeeping
