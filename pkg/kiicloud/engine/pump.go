package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

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
	identifier uint32 // 0: none
}

// outgoing is one PUBLISH to be written.
type outgoing struct {
	push       store.Push
	qos        byte
	packetID   uint16 // 0 at QoS 0
	identifier uint32
}

// sender writes to the client.
type sender interface {
	// send writes one PUBLISH, or fails with errTooLarge or because the connection is over. Outside of
	// together nil means that it was handed to the network.
	send(m outgoing) error
	// together calls write and hands what it sends to the network in one piece. It
	// returns nil only when that was done.
	together(write func() error) error
	// giveUp ends the connection, because delivery cannot go on.
	giveUp()
}

// pump carries pushes from an installation's queue to one connection, in order, and takes
// them out of the queue when the client has them. A goroutine does the work, while there is any.
//
// A push comes to it in one of two ways. Who has put it into the queue offers it, with its place:
// places of an installation go up by one, so what has the place behind the last one sent is sent
// as it is. Everything else is read from the queue: what waited before the connection was made,
// what there was no room for, and what came out of order.
type pump struct {
	queue        Queue
	settled      *settler
	log          *slog.Logger
	count        *counters
	out          sender
	installation string
	window       int   // pushes that may be sent and not acknowledged
	given        int64 // the last place given in the queue when the client was let in

	// sending is held from the look at the subscription until what it led to is written, so
	// that nothing follows an UNSUBACK [MQTT-3.10.4-2].
	sending sync.Mutex
	after   int64 // the place of the last push taken on; guarded by sending

	mu       sync.Mutex
	stopped  bool
	running  bool               // there is a goroutine
	again    bool               // there may be work that it has not seen
	quit     context.CancelFunc // ends what the goroutine waits for; nil without one
	idle     sync.WaitGroup     // for the goroutine
	sub      *subscription
	lastID   uint16
	inflight map[uint16]int64   // packet identifier -> place in the queue
	taking   int64              // the goroutine is about to send places up to this one; 0: none
	pushed   map[int64]struct{} // places that are in the queue no more, and being sent or in flight
	behind   bool               // the queue may hold pushes that were neither taken on nor offered
	offered  []store.Push       // not yet taken on
	since    time.Time          // when the first of offered came
}

// offeredAge is how long an offered push is kept for a client that takes no more; after that
// it comes from the queue, which alone knows what has expired or was pushed out.
const offeredAge = time.Second

func newPump(queue Queue, settled *settler, out sender, installation string, given int64, window int, count *counters, log *slog.Logger) *pump {
	return &pump{
		queue: queue, settled: settled, log: log, count: count, out: out, installation: installation, window: window,
		given: given, behind: true,
	}
}

// subscribe starts the delivery, or goes on with it under the terms of sub.
func (p *pump) subscribe(sub subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sub = &sub
	p.behind = true
	p.look()
}

// unsubscribe halts the delivery. When it returns nothing more is sent; what was sent can
// still be acknowledged. It reports whether there was a subscription.
func (p *pump) unsubscribe() bool {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	had := p.sub != nil
	p.sub = nil
	return had
}

// poke tells that the queue may hold something new.
func (p *pump) poke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behind = true
	p.look()
}

// offer tells of a push that was put into the queue, at push.Seq.
func (p *pump) offer(push store.Push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.behind: // it will be read
	case p.sub == nil || len(p.offered) >= p.window:
		p.behind, p.offered = true, nil
	default:
		if len(p.offered) == 0 {
			p.since = time.Now()
		}
		p.offered = append(p.offered, push)
	}
	p.look()
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
	delete(p.pushed, seq)
	p.count.delivered.Add(1)
	p.settled.add(p.installation, seq)
	if p.behind || len(p.offered) > 0 {
		p.look()
	}
}

// look has the goroutine look for work, where somebody is to get it. The caller holds mu.
func (p *pump) look() {
	switch {
	case p.stopped || p.sub == nil:
	case p.running:
		p.again = true
	default:
		p.running = true
		p.idle.Add(1)
		var ctx context.Context
		ctx, p.quit = context.WithCancel(context.Background())
		go p.run(ctx)
	}
}

// stop ends the delivery for good. When it returns nothing more is sent, and the queue has
// been told of every acknowledgement, as far as the store answers.
func (p *pump) stop() {
	p.mu.Lock()
	p.stopped = true
	if p.quit != nil {
		p.quit()
	}
	p.mu.Unlock()
	p.idle.Wait()
	p.mu.Lock()
	p.dropOut()
	p.mu.Unlock()
	if err := p.settled.flush(); err != nil {
		p.log.Warn("acknowledged pushes may be repeated", "installation", p.installation, "error", err)
	}
}
