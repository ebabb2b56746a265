// Package local is the queue of the one-program stack: wakes in memory, delivered by goroutines of the same process.
// What was pending when the process ends is lost, as the port allows: the sweep finds the marks.
package local
