// Package applefake is a stateful fake of Apple's App and Book Management API (version 2), for testing whatever manages
// books or apps through it: this project, or your own device management service.
//
// It keeps locations with their tokens, titles, users, licenses and events, refuses what Apple refuses with Apple's
// numbers, and never lets a book be taken back. Writes are asynchronous as Apple's are: they answer with an event, and
// the event ends when the clock has passed its due time. What Apple leaves open is a switch in [Options]; what Apple
// does rarely, such as losing an answer or handing the location to another manager, is a script ([Server.Script]) or an
// act ([Location.TakeOver], [Location.Refund], …). Afterwards the fake's own books ([Location.Ledger], [Server.Wire],
// [Server.Invariants], [Server.DoubleSpends]) say what really happened.
//
//	clock := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC))
//	server, err := applefake.New(applefake.Options{Clock: clock, Seed: 1})
//	location, err := server.AddLocation(applefake.LocationSpec{
//		Name: "Library", Country: "US", Org: "EXAMPLE", Domains: []string{"school.example"},
//		Stock: []applefake.Stock{{AdamID: "900000001", Total: 30, Title: applefake.Title{Name: "A Book"}}},
//	})
//	token, err := location.IssueToken(clock.Now().AddDate(1, 0, 0))
//	client := &http.Client{Transport: server.Transport()} // in this goroutine, without a network
//	request.Header.Set("Authorization", "Bearer "+token)
//
// A [Server] is also an http.Handler, so httptest.NewServer(server) or the program in infra/local/apple serve it over a
// network. All state is under one mutex, all time comes from the given clock, all randomness from the seed; there are no
// goroutines, and one sequence of calls gives one sequence of answers, byte for byte.
//
// Generated content ([Generated]) is computed, not stored: a million licenses cost no memory worth naming. With a
// journal ([Options.Journal]) every accepted change survives the process.
//
// It is not a stub: nothing in it knows its caller, and it shares no code with this project's client, so that a mistake in
// one is not repeated in the other. Subscriptions, the old version of the API and the rights of single accounts are left
// out. Tokens are made up and say so.
package applefake
