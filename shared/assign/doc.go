// Package assign keeps the wishes: which books an administrator wants which groups to have. It also holds the one
// function that decides, for a person and a title, to give, to wait or to refuse, and why: a plan prints what it says
// before anything is spent, and grants obey it.
//
// It spends nothing itself and calls nobody but the table and the directory.
package assign
