package session

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something that does happen.
const patience = time.Minute

// fakeClock stands still until a test moves it. Its timers hand a firing over by a
// rendezvous: once fire returns, the owner of the timer has it.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*fakeTimer
}

func newFakeClock() *fakeClock { return &fakeClock{now: t0} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) NewTimer() Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &fakeTimer{clock: c, c: make(chan time.Time), moved: make(chan struct{})}
	c.timers = append(c.timers, t)
	return t
}

type fakeTimer struct {
	clock *fakeClock
	c     chan time.Time
	due   time.Time     // zero: stopped
	moved chan struct{} // closed and made anew by Reset and Stop
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Reset(d time.Duration) { t.move(true, d) }

func (t *fakeTimer) Stop() { t.move(false, 0) }

func (t *fakeTimer) move(on bool, d time.Duration) {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	t.due = time.Time{}
	if on {
		t.due = t.clock.now.Add(d)
	}
	close(t.moved)
	t.moved = make(chan struct{})
}

// next gives the timer that is due first, nil when none is armed.
func (c *fakeClock) next() (t *fakeTimer, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, candidate := range c.timers {
		if !candidate.due.IsZero() && (t == nil || candidate.due.Before(t.due)) {
			t = candidate
		}
	}
	if t == nil {
		return nil, time.Time{}
	}
	return t, t.due
}

// fire moves the clock to the first timer that is due, and late beyond it, and fires
// that timer. It waits until one is armed.
func (c *fakeClock) fire(t testing.TB, late time.Duration) {
	t.Helper()
	require.Eventually(t, func() bool { first, _ := c.next(); return first != nil }, patience, time.Millisecond, "no timer is armed")
	first, due := c.next()
	c.mu.Lock()
	if at := due.Add(late); at.After(c.now) {
		c.now = at
	}
	now, moved := c.now, first.moved
	first.due = time.Time{}
	c.mu.Unlock()
	select {
	case first.c <- now:
	case <-moved:
	case <-time.After(patience):
		t.Fatal("nobody took the timer's firing")
	}
}

// advance moves the clock and fires nothing.
func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
