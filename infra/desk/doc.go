// Package desk is a whole installation in memory, for the tests of the HTTP functions: table, vault, directory, a queue
// that only remembers, and a fake of Apple with one location, all on one virtual clock.
//
// It is for tests only and checks on the way what every answer must keep: errors have Graph's form, and no secret ever
// shows.
package desk
