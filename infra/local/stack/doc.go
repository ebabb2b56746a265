// Package stack is Bookplate as one program: the same functions that run on AWS, served by one HTTP server, on the
// embedded engines. It suits a laptop and a small school.
package stack
