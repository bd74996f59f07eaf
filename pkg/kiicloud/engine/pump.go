package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// errTooLarge is a push that the client's maximum packet size does not admit.
var errTooLarge = errors.New("larger than the client's maximum packet size")

// ownPrefix begins the message id of a push that the installation's own client published.
// A subscription with No Local does not get those [MQTT-3.8.3-3].
const ownPrefix = "own-"

// subscription is what the client asked for when it subscribed to its own topic.
type subscription struct {
	qos        byte // 0 or 1
	noLocal    bool
	identifier int // 0: none
}

// outgoing is one PUBLISH to be written.
type outgoing struct {
	push       store.Push
	qos        byte
	packetID   uint16 // 0 at QoS 0
	identifier int
}

// sender writes to the client.
type sender interface {
	// send writes one PUBLISH, or fails with errTooLarge or because the connection is over.
	send(m outgoing) error
	// together calls write and hands what it sends to the network in one piece. It
	// returns nil only when that was done.
	together(write func() error) error
	// giveUp ends the connection, because delivery cannot go on.
	giveUp()
}

// pump carries pushes from an installation's queue to one connection, in order, and takes
// them out of the queue when the client has them. One goroutine, from the first SUBSCRIBE
// to stop, does all the work.
type pump struct {
	queue        Queue
	log          *slog.Logger
	count        *counters
	out          sender
	installation string
	window       int // pushes that may be sent and not acknowledged

	wake chan struct{}   // holds one element when there may be work
	ctx  context.Context // ends with stop
	quit context.CancelFunc
	done chan struct{} // closed when the goroutine has ended

	after int64 // the place of the last push read from the queue; the goroutine's own

	// sending is held from the look at the subscription until what it led to is written, so
	// that nothing follows an UNSUBACK [MQTT-3.10.4-2].
	sending sync.Mutex

	mu       sync.Mutex
	started  bool
	stopped  bool
	sub      *subscription
	lastID   uint16
	inflight map[uint16]int64 // packet identifier -> place in the queue
	acked    []int64          // places that the queue has not been told of
}

func newPump(queue Queue, out sender, installation string, window int, count *counters, log *slog.Logger) *pump {
	ctx, quit := context.WithCancel(context.Background())
	return &pump{
		queue: queue, log: log, count: count, out: out, installation: installation, window: window,
		wake: make(chan struct{}, 1), ctx: ctx, quit: quit, done: make(chan struct{}),
		inflight: make(map[uint16]int64),
	}
}

// subscribe starts the delivery, or goes on with it under the terms of sub.
func (p *pump) subscribe(sub subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.sub = &sub
	if !p.started {
		p.started = true
		go p.run()
	}
	p.poke()
}

// unsubscribe halts the delivery. When it returns nothing more is sent; what was sent can
// still be acknowledged.
func (p *pump) unsubscribe() {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sub = nil
}

// poke tells the goroutine that there may be work.
func (p *pump) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// acknowledge notes the client's PUBACK.
func (p *pump) acknowledge(packetID uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seq, ok := p.inflight[packetID]
	if !ok || p.stopped {
		return
	}
	delete(p.inflight, packetID)
	p.acked = append(p.acked, seq)
	p.count.delivered.Add(1)
	p.poke()
}

// stop ends the delivery for good. When it returns nothing more is sent, and the queue has
// been told of every acknowledgement, as far as the store answers.
func (p *pump) stop() {
	p.mu.Lock()
	started := p.started
	p.stopped = true
	p.mu.Unlock()
	p.quit()
	if started {
		<-p.done
	}
}
