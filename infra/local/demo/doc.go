// Package demo is the make-believe that the one-program stack starts with when no real Apple is given: the fake of
// Apple's service with a school's library in it, and the school's people.
package demo
