// Package reader keeps people as Apple knows them in a location: created by us for a person of the directory, linked
// to an Apple Account or still invited; and, apart from those, the readers that others made, which Bookplate never
// links, changes or retires.
//
// A reader is retired by an administrator's order only (Desk). The order is an item of its own; the worker carries it out.
//
// The writer of readers is the worker of the location alone. Creating a reader spends nothing and can be repeated: the
// clientUserId is derived, so that a crash can't make a person twice.
package reader
