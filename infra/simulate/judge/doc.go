// Package judge holds a simulated run against the laws (design section 4). It reads the fake's own books, the requests as
// they start and answers as they arrive, the script (who was a member when), and the product's public answers, and imports
// nothing of the product: a mistake there is not repeated here.
//
// It decides nothing about what happens, and knows no fault.
package judge
