// Package book keeps the books: one title in one quality as stocked by one location, with its counts and what Apple's
// catalog says of it. Books come from Apple's asset listing and from nowhere else; only a sync writes them.
package book
