// Package work is what the queue runs: each message is a wake for one location, whose worker then does what is due.
package work
