// Package measure counts what a run costs: the requests that reach Apple, kind by kind, and what the table is asked for. It
// sets each count beside the least that arithmetic allows. It takes nobody's word: requests are counted on their way into
// the fake, and the table's calls on their way into the engine.
//
// It measures no time.
package measure
