// Package schedule is what the timers run: twice a day it has every location synced, and every few minutes it wakes the
// locations that have something due, whose own wakes were lost or lay too far ahead for the queue.
//
// It does none of the work itself: the location's worker does.
package schedule
