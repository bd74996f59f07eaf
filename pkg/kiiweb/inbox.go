package kiiweb

import (
	"context"
	"iter"
	"sync"
)

// Messages gives what arrives, one after the other, to those who set no OnMessages.
// A batch is acknowledged when all of it was handled: when the loop has come back for
// the next message, or has been left. It ends when the connection has ended and all
// was handed out, or when ctx ends; then, and after a break, it can be ranged over again
// to go on. Close acknowledges what was handled before, and drops what was not handed out: the broker sends it again.
func (conn *Connection) Messages(ctx context.Context) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for {
			m, ok := conn.inbox.next(ctx)
			if !ok {
				return
			}
			more := yield(m.Message)
			conn.inbox.handled(m)
			if !more {
				return
			}
		}
	}
}

// letter is a message in an inbox.
type letter struct {
	Message
	handled bool
}

// inbox holds one batch, and after the connection's end what is left of all, until it
// is taken. It is bounded by the session, which hands over the next batch only when
// that one was handled.
type inbox struct {
	more chan struct{} // something was put; holds one
	over chan struct{} // closed when nothing more will be put

	mu      sync.Mutex
	queue   []*letter     // not taken yet
	batch   []*letter     // the latest
	open    int           // messages put and not handled
	settled chan struct{} // closed when open gets to 0
	closed  bool          // nothing is wanted any more
}

func newInbox() *inbox {
	return &inbox{more: make(chan struct{}, 1), over: make(chan struct{})}
}

// put hands over a batch, and gives a function that returns when it was handled, or once done is closed; nil: it
// was.
func (b *inbox) put(batch []Message, done <-chan struct{}) (wait func() (stop uint16)) {
	settled := make(chan struct{})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(batch) == 0 {
		return nil
	}
	b.batch = make([]*letter, len(batch))
	for i, m := range batch {
		b.batch[i] = &letter{Message: m}
	}
	b.queue = append(b.queue, b.batch...)
	b.open += len(batch)
	b.settled = settled
	b.signal()
	return func() uint16 {
		select {
		case <-settled:
		case <-done:
		}
		return 0
	}
}

// stop gives the packet identifier of the first message of the latest batch that is not handled;
// 0: there is none.
func (b *inbox) stop() uint16 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.batch {
		if !m.handled && m.PacketID != 0 {
			return m.PacketID
		}
	}
	return 0
}

// end says that nothing more will be put.
func (b *inbox) end() { close(b.over) }

// next waits for a message; ok is false when there will be none, or ctx has ended.
func (b *inbox) next(ctx context.Context) (m *letter, ok bool) {
	for ctx.Err() == nil {
		if m, ok = b.take(); ok {
			return m, true
		}
		select {
		case <-b.more:
		case <-b.over:
			return b.take() // what was put before the end
		case <-ctx.Done():
		}
	}
	return nil, false
}

func (b *inbox) take() (m *letter, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return nil, false
	}
	m = b.queue[0]
	b.queue[0] = nil
	b.queue = b.queue[1:]
	if len(b.queue) > 0 {
		b.signal() // for another reader
	}
	return m, true
}

// handled notes that a message that was taken is done with.
func (b *inbox) handled(m *letter) {
	b.mu.Lock()
	m.handled = true
	b.mu.Unlock()
	b.settle(1)
}

// drop forgets what was not taken, and what will be put.
func (b *inbox) drop() {
	b.mu.Lock()
	n := len(b.queue)
	b.queue, b.closed = nil, true
	b.mu.Unlock()
	b.settle(n)
}

func (b *inbox) settle(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open -= n
	if b.open == 0 && b.settled != nil {
		close(b.settled)
		b.settled = nil
	}
}

func (b *inbox) signal() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}
