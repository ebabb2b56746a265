// Package act is the log of what people did that isn't told by a license: a token uploaded, renewed, deleted. Its
// entries are written in the Commit that does what they tell, and never changed.
package act
