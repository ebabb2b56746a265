// Package front answers what no other function does: the API's description, whether the service is up, batches of
// requests ($batch), requests whose paths are spelled oddly, and every unknown path, so that its error too has the form
// that clients can read.
//
// It has no rights of its own. What it asks of the API, it asks through the API's own entrance with its caller's bearer,
// so that each function decides as if the caller had come by themselves. Such a request is marked, and a marked one is
// never passed on: nothing goes round in circles.
package front
