// Package license is the heart of Bookplate: the one item that holds the right to a title for a person, the batch that
// is the only thing allowed to spend it, and the only code that lets Apple's rows change either.
//
// The item (title, person) is grant, license and ledger line in one. It is never deleted: what a person got, when, why
// and on whose order stays known when the person, the group and the token are gone. A license held by somebody whom we
// can't map to a person is a [Holder], kept apart.
//
// The rule of the package (design law 1): a pair may be sent to Apple only by the batch that its item names. Until that
// batch is *sending*, a Commit takes the pair out of it; from then on only Apple's final word on the pair does. The
// package decides nothing about who should get what; that is assign's.
package license
