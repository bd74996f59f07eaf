package session

import (
	"context"
	"errors"
	"sync"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Session is one MQTT connection that lives across as many transports as it takes.
// Its methods may be called from any goroutine, the hooks' included.
type Session struct {
	cfg     Config
	courier *courier

	inbox     chan func(*loop) // to the loop, which never keeps anybody waiting
	delivered chan batch       // from the courier
	over      chan struct{}    // closed when the loop takes nothing any more
	done      chan struct{}    // closed when the last transport is closed as well
	hurry     chan struct{}    // closed when there is no time for last words
	cut       sync.Once

	mu      sync.Mutex
	change  Change
	last    *fault.Error  // what went wrong since the session was online
	changed chan struct{} // closed and made anew at each change
}

// Open starts a session, which connects and subscribes in the background. An error in
// cfg is told as the reason of the state failed.
func Open(cfg Config) *Session {
	s := &Session{
		cfg:   cfg.withDefaults(),
		inbox: make(chan func(*loop)), delivered: make(chan batch),
		over: make(chan struct{}), done: make(chan struct{}), hurry: make(chan struct{}),
		change: Change{State: Idle, ReasonCode: -1}, changed: make(chan struct{}),
	}
	s.courier = newCourier(&s.cfg, func(b batch) {
		select {
		case s.delivered <- b:
		case <-s.over:
		}
	})
	if err := s.cfg.check(); err != nil { // then the first attempt fails with it
		s.cfg.Endpoint = func(context.Context, bool) (Endpoint, error) { return Endpoint{}, err }
	}
	go newLoop(s).run()
	return s
}

// check refuses what a session cannot do.
func (c *Config) check() error {
	switch {
	case c.Endpoint == nil || c.Deliver == nil && c.HandOver == nil:
		return fault.New(fault.InvalidArgument, "the hooks Endpoint and Deliver are required")
	case c.QoS > 2:
		return fault.New(fault.InvalidArgument, "a session subscribes at QoS 0, 1 or 2")
	case c.Version != 0 && c.Version != mqtt.V5 && c.Version != mqtt.V311 && c.Version != mqtt.V31:
		return fault.New(fault.ProtocolVersion, "this protocol version cannot be spoken")
	}
	return nil
}

// Ready waits until the subscription stands. It returns nil then, and the error of
// displaced, closed or failed at once. The end of ctx gives ABORTED, or TIMEOUT with
// what went wrong last as the cause; the session goes on.
func (s *Session) Ready(ctx context.Context) error {
	for {
		s.mu.Lock()
		c, last, changed := s.change, s.last, s.changed
		s.mu.Unlock()
		switch c.State {
		case Online:
			return nil
		case Displaced, Closed, Failed:
			return c.Err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ended(ctx, "the connection is not ready yet", last)
		}
	}
}

// ended makes the error for a context that has ended. last is the cause of a TIMEOUT,
// where there is one; what helps against that is what helps.
func ended(ctx context.Context, what string, last *fault.Error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.Aborted, what, context.Cause(ctx))
	}
	if last != nil {
		e := fault.Wrap(fault.Timeout, what+": "+last.Message, last)
		e.Remedy = last.Remedy
		return e
	}
	return fault.Wrap(fault.Timeout, what, context.Cause(ctx))
}

// State gives the latest change. OnChange may not have seen it yet.
func (s *Session) State() Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change
}

func (s *Session) set(c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change = c
	switch {
	case c.State == Online:
		s.last = nil
	case c.Err != nil:
		s.last = c.Err
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Dropped counts the messages that were not handed over: at QoS 0, because too many waited for
// Deliver while a message of this side waited for its acknowledgement, and those that were too large
// and so passed over.
func (s *Session) Dropped() int { return s.courier.lost() }

// Done is closed in a final state, once the last transport is closed.
func (s *Session) Done() <-chan struct{} { return s.done }

// final gives the error of the present state, which is an end.
func (s *Session) final() error {
	if c := s.State(); c.Err != nil {
		return c.Err
	}
	return fault.New(fault.Closed, "the connection is closed")
}

// Wake tells that the network or the machine may have come back: an open connection
// is checked with a PING that has a short deadline, a waiting session connects at
// once, unless the server asked to be left alone for a while. "offline" tells that the network
// went away: then there is the PING alone.
func (s *Session) Wake(why string) { s.post(func(l *loop) { l.step(woken{why}) }) }

// Pause says goodbye to the broker, or ends an attempt, and stays away until Wake, with
// the state waiting: for when the machine or the page is about to be put to sleep. A wait
// that the server asked for goes on.
func (s *Session) Pause(why string) { s.post(func(l *loop) { l.step(paused{why}) }) }

// TakeBack connects again after another connection took over. Where the session is
// not displaced there is nothing to do; in a final state the error is that state's.
func (s *Session) TakeBack() error {
	if !s.post(func(l *loop) { l.step(takenBack{}) }) {
		return s.final()
	}
	return nil
}

// Close ends the session: DISCONNECT, then the transport. Messages that were not
// handed over yet are dropped, without acknowledgement. Close returns when the
// transport is closed, or when ctx ends (TIMEOUT, ABORTED), which closes it without
// further waiting. Closing again, or after a failure, does nothing.
func (s *Session) Close(ctx context.Context) error {
	s.post(func(l *loop) {
		if b, ok := l.courier.handled(); ok {
			l.acknowledge(b)
		}
		l.step(closedByUser{})
	})
	select {
	case <-s.done:
		return nil
	default:
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.cut.Do(func() { close(s.hurry) })
		return ended(ctx, "the connection was cut before the broker was told", nil)
	}
}

// post hands f to the loop; it tells false when the loop has ended.
func (s *Session) post(f func(*loop)) bool {
	select {
	case s.inbox <- f:
		return true
	case <-s.over:
		return false
	}
}
