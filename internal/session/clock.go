package session

import "time"

// Clock is where the session takes time from; tests bring their own.
type Clock interface {
	// Now gives the time, with the monotonic reading where the platform has one.
	Now() time.Time
	// NewTimer gives a timer that is stopped.
	NewTimer() Timer
}

// Timer is one timer of a Clock.
type Timer interface {
	C() <-chan time.Time
	// Reset arms the timer anew; a firing that was not received yet is forgotten.
	Reset(d time.Duration)
	// Stop disarms it; a firing that was not received yet is forgotten.
	Stop()
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) NewTimer() Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return realTimer{t}
}

type realTimer struct{ t *time.Timer }

func (r realTimer) C() <-chan time.Time   { return r.t.C }
func (r realTimer) Reset(d time.Duration) { r.t.Reset(d) }
func (r realTimer) Stop()                 { r.t.Stop() }
