// Package world is what code takes from the world around it: time, randomness, new ids and concurrency.
//
// Everything in Bookplate that decides something receives a [World] instead of calling the clock, the random source
// or the go statement itself. That makes one run of the domain a function of its inputs: a test gives it virtual time
// and a seed, and gets the same trace twice.
//
// It is not a place for helpers. A new source of nondeterminism belongs here; nothing else does.
package world
