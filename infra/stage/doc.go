// Package stage is Bookplate's domain in one process and in virtual time, with Apple's fake on the other side: the table
// in memory, wakes in a list, and a clock that jumps to whatever is due next. Tests act out whole scenes on it, and end
// the process wherever they like.
//
// It plays no laws and judges nothing: scenes do. It is for tests only.
package stage
