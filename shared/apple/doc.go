// Package apple is a client for Apple's App and Book Management API (version 2), as far as books need it: service and
// client configuration, assets, users, assignments, events, and the titles' metadata.
//
// A [Service] is Apple for the whole process; a [Location] is one location, opened with its content token. A Location
// guards itself: it paces its requests to the live limit, repeats reads but never writes, and from the first answer
// that names another owner or another location it refuses every further request (design law 4).
//
// The package knows the wire, not the domain: it never decides who gets a book. Its stateful fake is apple/applefake.
package apple
