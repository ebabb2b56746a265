// Package assignments answers for what gives books away: the assignments of a book, and the plan that says what they
// would spend before anything is spent. It only stores wishes and marks the work; the location's worker spends.
package assignments
