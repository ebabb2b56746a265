package play

import "math/rand/v2"

// The kinds of faults. Each comes in both kinds where that makes sense: nothing has happened, or it has.
const (
	crashBeforeCommit  = "crash before a table commit"
	crashAfterCommit   = "crash after a table commit"
	crashBeforeVault   = "crash before a vault call"
	crashAfterVault    = "crash after a vault call"
	crashBeforeWake    = "crash before a wake"
	crashAfterWake     = "crash after a wake"
	crashBeforeRequest = "crash before a request"
	crashAfterRequest  = "crash after a request"
	tableFailed        = "table error, nothing happened"
	tableFailedAfter   = "table error, but it happened"
	vaultFailed        = "vault error"
	wakeFailed         = "wake error"
	answerLost         = "answer lost after Apple acted"
	requestLost        = "request lost"
	answer429          = "429"
	answer503          = "503"
	answerHTML         = "a gateway's page"
	answerTruncated    = "truncated answer"
	slowEvent          = "slow event"
	failedEvent        = "event failed as a whole"
	partlyFailed       = "event failed for every second license"
	partialEvent       = "event failed that has given some licenses"
	wakeDropped        = "wake dropped"
	wakeDuplicated     = "wake duplicated"
	wakeDelayed        = "wake delayed"
	wakeReordered      = "wakes reordered"
	indexLag           = "index lag"
	shortPage          = "short page"
	conflict           = "transaction conflict"
	unprocessed        = "unprocessed items"
	freezeCommit       = "freeze around a table commit"
	freezeCheck        = "freeze before the transport's check"
	freezeWire         = "freeze around a request"
	otherWorker        = "another worker in between"
	limitsShrink       = "limits shrink"
)

// Faults are all kinds of faults.
var faults = []string{
	crashBeforeCommit, crashAfterCommit, crashBeforeVault, crashAfterVault, crashBeforeWake, crashAfterWake,
	crashBeforeRequest, crashAfterRequest, tableFailed, tableFailedAfter, vaultFailed, wakeFailed, answerLost, requestLost,
	answer429, answer503, answerHTML, answerTruncated, slowEvent, failedEvent, partlyFailed, partialEvent, wakeDropped, wakeDuplicated,
	wakeDelayed, wakeReordered, indexLag, shortPage, conflict, unprocessed, freezeCommit, freezeCheck, freezeWire,
	otherWorker, limitsShrink,
}

// odds are one in so many, at each point where the fault could happen, in a seed whose weather has it.
var odds = map[string]int{
	crashBeforeCommit: 400, crashAfterCommit: 400, crashBeforeVault: 40, crashAfterVault: 40, crashBeforeWake: 60,
	crashAfterWake: 60, crashBeforeRequest: 60, crashAfterRequest: 60, tableFailed: 600, tableFailedAfter: 300,
	vaultFailed: 30, wakeFailed: 30, answerLost: 12, requestLost: 25, answer429: 25, answer503: 25, answerHTML: 40,
	answerTruncated: 40, slowEvent: 5, failedEvent: 25, partlyFailed: 8, wakeDropped: 8, wakeDuplicated: 8, wakeDelayed: 8, wakeReordered: 3,
	freezeCommit: 250, freezeCheck: 60, freezeWire: 60, otherWorker: 2,
}

// Odds of what the table leaks by itself. They are all different: by them the chance that it asks for is recognized.
const (
	indexLagOps    = 31
	shortPageOdds  = 19
	conflictOdds   = 97
	unprocessOdds  = 7
	fineWeatherOne = 3 // in so many seeds a kind of fault never happens
)

// weather says which faults a seed has, and when they are over.
type weather struct {
	rand *rand.Rand
	has  map[string]bool
	over bool
	note func(fault string)
}

func newWeather(r *rand.Rand, note func(string)) *weather {
	w := &weather{rand: r, has: map[string]bool{}, note: note}
	for _, f := range faults {
		w.has[f] = r.IntN(fineWeatherOne) != 0
	}
	return w
}

// strikes says whether a fault happens here and now.
func (w *weather) strikes(fault string) bool {
	if w.over || !w.has[fault] || w.rand.IntN(odds[fault]) != 0 {
		return false
	}
	w.note(fault)
	return true
}

// chance is what the table asks for its own leaks.
func (w *weather) chance(n int) int {
	got := w.rand.IntN(n)
	switch {
	case n == indexLagOps && got > 0:
		w.note(indexLag)
	case n == shortPageOdds && got == 0:
		w.note(shortPage)
	case n == conflictOdds && got == 0:
		w.note(conflict)
	case n == unprocessOdds && got == 0:
		w.note(unprocessed)
	}
	return got
}
