// Package door is the entrance of an HTTP function that speaks Graph: a list of routes, each with the role that it needs,
// made into a mux behind the gate and within graph's handler. The list is also what the API's description and the
// deployment are held against ([Patterns]), so that none of the three can differ unnoticed.
//
// It knows no entities and answers nothing by itself but refusals.
package door
