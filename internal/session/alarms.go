package session

import "time"

// alarmKind names one of the things that the loop waits for by time.
type alarmKind uint8

const (
	alarmStage  alarmKind = iota // the deadline of a stage of the attempt
	alarmRetry                   // the wait is over
	alarmStable                  // the connection counts as stable
	alarmExpiry                  // the endpoint expires
	alarmQueue                   // something may have waited too long to be sent
	alarmLink                    // keep alive, or a write that takes too long
	alarmKinds
)

// alarms are the loop's deadlines on one timer.
type alarms struct {
	timer Timer
	at    [alarmKinds]time.Time // zero: off
	armed time.Time             // what the timer is set to; zero: off
	since time.Time             // the wall clock's time when it was set
	wait  time.Duration         // and for how long
}

// set sets one deadline; zero takes it away.
func (a *alarms) set(k alarmKind, at time.Time) { a.at[k] = at }

// off takes deadlines away.
func (a *alarms) off(kinds ...alarmKind) {
	for _, k := range kinds {
		a.at[k] = time.Time{}
	}
}

// due tells whether a deadline has passed, and takes it away.
func (a *alarms) due(k alarmKind, now time.Time) bool {
	if a.at[k].IsZero() || now.Before(a.at[k]) {
		return false
	}
	a.at[k] = time.Time{}
	return true
}

// arm sets the timer to the earliest deadline. A timer that would fire earlier is
// left alone: deadlines mostly move away, and firing once for nothing is cheaper than
// setting a timer for every packet.
func (a *alarms) arm(now time.Time) {
	first := time.Time{}
	for _, at := range a.at {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	switch {
	case first.IsZero():
		if !a.armed.IsZero() {
			a.armed = time.Time{}
			a.timer.Stop()
		}
		return
	case !a.armed.IsZero() && !a.armed.After(first):
		return
	}
	a.wait = max(first.Sub(now), 0)
	a.armed, a.since = first, now.Round(0)
	a.timer.Reset(a.wait)
}

// fired notes that the timer fired, and tells whether it did so far too late by the
// wall clock: the monotonic one may stand still while a machine sleeps.
func (a *alarms) fired(now time.Time) (slept bool) {
	a.armed = time.Time{}
	return now.Round(0).Sub(a.since) > a.wait+jumpLate
}
