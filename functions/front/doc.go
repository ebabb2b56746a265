// Package front answers what no other function does: the API's description, whether the service is up, and every
// unknown path, so that its error too has the form that clients can read. It has no rights of its own.
package front
