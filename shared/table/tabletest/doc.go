// Package tabletest is the contract of table.Engine as tests: every engine passes Run. A law that isn't tested here
// can't be relied upon by the domain.
//
// The suite tolerates what the port lets an engine do (short pages, conflicts, items left undone, a lagging index), so
// it also runs on an engine that does all of it on purpose.
package tabletest
