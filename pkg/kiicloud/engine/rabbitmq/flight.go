package rabbitmq

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// How many pushes one process has on their way to RabbitMQ at most, that is sent and not confirmed.
const (
	mostFast    = 2048  // of those that are younger than slowAfter
	mostSlow    = 16384 // of those that are older: their queues have no leader, or RabbitMQ is short of something
	manySlow    = 4096  // from so many on a queue that has one that is older gets no more: many queues have no leader
	mostOfQueue = 16    // of one queue, see lane
	slowOfQueue = 4     // of one queue that are older: then it gets no more
	mostOfCall  = 256   // of one call of Publish, those that are younger than slowAfter

	// slowAfter is how long a healthy queue takes at the most, on a cluster that is busy.
	slowAfter = 2 * time.Second
)

var (
	errStuck   = errors.New("its queue has not confirmed what it was sent before: it has no leader now")
	errCrowded = errors.New("too many pushes are on their way")
)

// flight bounds what is on its way, so that queues that confirm nothing keep no place from others.
type flight struct {
	fast, slow chan struct{} // one for each push
	mu         sync.Mutex
	lanes      map[string]*lane // by topic, those that somebody uses
}

// lane is the way to one queue. RabbitMQ takes nothing more from a connection, for whichever queue, when one queue
// has not answered 32 messages of a channel (quorum_commands_soft_limit). So a queue gets fewer than that,
// counted until it has answered, however long that takes, and not until somebody has given up.
type lane struct {
	room  chan struct{}
	slow  atomic.Int32
	users int // who has a place or waits for one
}

func newFlight() *flight {
	return &flight{fast: make(chan struct{}, mostFast), slow: make(chan struct{}, mostSlow), lanes: map[string]*lane{}}
}

// ticket is the place of one push.
type ticket struct {
	f      *flight
	l      *lane
	topic  string
	window chan struct{} // of the call, or nil; has one for each push that is not slow

	mu   sync.Mutex
	slow bool
	gone bool // the place was given back
}

// enter waits for a place. The error is errStuck when the queue is the reason why there is none, else errCrowded
// or that of ctx.
func (f *flight) enter(ctx context.Context, topic string, window chan struct{}) (*ticket, error) {
	t := &ticket{f: f, l: f.lane(topic), topic: topic, window: window}
	if err := t.l.enter(ctx, f.mayBeSlow()); err != nil {
		f.left(topic, t.l)
		return nil, err
	}
	if take(ctx, f.fast, confirmTimeout) {
		return t, nil
	}
	<-t.l.room
	f.left(topic, t.l)
	return nil, errors.Join(errCrowded, ctx.Err())
}

// mayBeSlow is how many slow ones a queue may have now and get another push. All that have no leader are to find
// room among the slow ones: two nodes of nine that are gone may be a twelfth of the queues.
func (f *flight) mayBeSlow() int32 {
	if len(f.slow) >= manySlow {
		return 1
	}
	return slowOfQueue
}

func (l *lane) enter(ctx context.Context, most int32) error {
	if l.slow.Load() >= most {
		return errStuck
	}
	switch {
	case take(ctx, l.room, slowAfter):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return errStuck
}

// take takes a place, and tells whether there was one before patience or ctx came to an end. Most find one at once, and need no timer.
func take(ctx context.Context, room chan<- struct{}, patience time.Duration) bool {
	select {
	case room <- struct{}{}:
		return true
	default:
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case room <- struct{}{}:
		return true
	case <-late.C:
	case <-ctx.Done():
	}
	return false
}

func (f *flight) lane(topic string) *lane {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lanes[topic]
	if l == nil {
		l = &lane{room: make(chan struct{}, mostOfQueue)}
		f.lanes[topic] = l
	}
	l.users++
	return l
}

func (f *flight) left(topic string, l *lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(f.lanes, topic)
	}
}

// linger makes place for others, as far as there is room for one more that is slow.
func (t *ticket) linger() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return
	}
	select {
	case t.f.slow <- struct{}{}:
	default:
		return
	}
	t.slow = true
	t.l.slow.Add(1)
	t.free()
}

// free gives back what only those have that are not slow.
func (t *ticket) free() {
	<-t.f.fast
	if t.window != nil {
		<-t.window
	}
}

// leave gives the place back. The second time it does nothing.
func (t *ticket) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return
	}
	t.gone = true
	if t.slow {
		<-t.f.slow
		t.l.slow.Add(-1)
	} else {
		t.free()
	}
	<-t.l.room
	t.f.left(t.topic, t.l)
}
