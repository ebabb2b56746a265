// Package assignments answers for what gives books away: the assignments of a book, and the plan that says what they
// would spend before anything is spent; and for who is to be given nothing any more, which is to retire a reader. It only
// stores wishes and orders and marks the work; the location's worker spends, and speaks with Apple.
package assignments
