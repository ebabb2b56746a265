// Package books answers all questions about books: which there are, who has what and why, who waits and for what, what
// syncs and batches have done. It is given nothing that it could write with.
package books
