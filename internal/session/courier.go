package session

import (
	"runtime"
	"sync"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// batch is what arrived in one turn of the loop: messages for the application, and
// the packet identifiers to acknowledge once it has them, in the order of arrival
// [MQTT-4.6.0-2]. A repeat has an identifier here and no message.
type batch struct {
	gen    uint32
	msgs   []Message
	acks   []receipt
	behind int // so many acknowledgements for what came the short way go before
}

func (b *batch) empty() bool { return len(b.msgs) == 0 && len(b.acks) == 0 }

// parcel is one thing for the application: a batch or a change.
type parcel struct {
	batch  batch
	change *Change
}

// courier calls the application, one thing after the other. It has a goroutine of its
// own, so that a handler may take its time, publish, or close the session, while the
// loop keeps the connection alive.
type courier struct {
	cfg  *Config
	post func(batch) // tells the loop that a batch was delivered

	mu      sync.Mutex
	parcels []parcel
	backlog int // messages that wait
	news    int // changes that wait
	dropped int // messages that were dropped
	ended   bool
	calling bool          // the application has been given something, and is still at it
	handed  bool          // that is a batch, and all of it was handed over
	hand    batch         // which one
	ready   chan struct{} // something changed; holds one
}

func newCourier(cfg *Config, post func(batch)) *courier {
	return &courier{cfg: cfg, post: post, ready: make(chan struct{}, 1)}
}

// deliver hands over b. With shedding, messages at QoS 0 over the cap are dropped,
// oldest first, and given back.
func (c *courier) deliver(b batch, shedding bool) (dropped []Message) {
	c.mu.Lock()
	c.parcels = append(c.parcels, parcel{batch: b})
	c.backlog += len(b.msgs)
	if over := c.backlog - c.cfg.MaxBacklog; shedding && over > 0 {
		dropped = c.shed(over)
	}
	c.mu.Unlock()
	c.signal()
	return dropped
}

// tell hands over a change. Of one more message that was too large nobody is told while that many changes wait: there
// may be any number of them.
func (c *courier) tell(change Change) {
	c.mu.Lock()
	if change.State != Online || change.Code != fault.PacketTooLarge || c.news < passedMost {
		c.parcels = append(c.parcels, parcel{change: &change})
		c.news++
	}
	c.mu.Unlock()
	c.signal()
}

// firm has a push be kept that waits at QoS 0: a repeat of it came at another, which is to be acknowledged. It tells whether there is one.
func (c *courier) firm(id []byte) (found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.parcels {
		found = firm(c.parcels[i].batch.msgs, id) || found
	}
	return found
}

func firm(waiting []Message, id []byte) (found bool) {
	for i := range waiting {
		m := &waiting[i]
		if m.QoS > 0 {
			continue
		}
		if same, ok := pushID(m.Properties); ok && string(same) == string(id) {
			m.Firm, found = true, true
		}
	}
	return found
}

// shed drops the n oldest messages at QoS 0, but for firm ones, and gives them.
func (c *courier) shed(n int) (dropped []Message) {
	for i := range c.parcels {
		b := &c.parcels[i].batch
		kept := b.msgs[:0]
		for _, m := range b.msgs {
			if n > 0 && m.QoS == 0 && !m.Firm {
				n--
				c.dropped++
				c.backlog--
				dropped = append(dropped, m)
				continue
			}
			kept = append(kept, m)
		}
		b.msgs = kept
		if n == 0 {
			break
		}
	}
	return dropped
}

// discard drops all messages that are not handed over yet.
func (c *courier) discard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.parcels[:0]
	for _, p := range c.parcels {
		if p.change != nil {
			kept = append(kept, p)
		}
	}
	c.parcels, c.backlog = kept, 0
}

// pass notes that a message was too large to be handed over.
func (c *courier) pass() {
	c.mu.Lock()
	c.dropped++
	c.mu.Unlock()
}

// full tells whether so many messages wait that reading has to pause.
func (c *courier) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backlog >= c.cfg.MaxBacklog
}

// lost counts the messages that were dropped.
func (c *courier) lost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// end lets run return once everything is handed over.
func (c *courier) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.signal()
}

func (c *courier) signal() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

// run is the courier's goroutine.
func (c *courier) run() {
	for {
		p, ok, ended := c.take()
		switch {
		case !ok && ended:
			return
		case !ok:
			<-c.ready
		case p.change != nil:
			c.guarded(func() { c.cfg.OnChange(*p.change) })
		default:
			// Repeats alone are handed over as well where others handle the messages: the first of
			// them may be in their hands still.
			if len(p.batch.msgs) > 0 || c.cfg.HandOver != nil {
				c.guarded(func() {
					if stop := c.deliverNow(p.batch); stop != 0 {
						p.batch.acks = before(p.batch.acks, stop)
					}
				})
			}
			c.post(p.batch)
		}
	}
}

// deliverNow returns when the messages were handled, up to stop where that is not 0.
func (c *courier) deliverNow(b batch) (stop uint16) {
	if c.cfg.HandOver == nil {
		c.cfg.Deliver(b.msgs)
		return 0
	}
	wait := c.cfg.HandOver(b.msgs)
	if wait == nil {
		return 0
	}
	c.mu.Lock()
	c.handed, c.hand = true, b
	c.mu.Unlock()
	return wait()
}

// handled gives the acknowledgements for what is handled of the batch that the application is at; false: it
// is at none, or does not say.
func (c *courier) handled() (b batch, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.handed || c.cfg.Stop == nil {
		return batch{}, false
	}
	b = c.hand
	if stop := c.cfg.Stop(); stop != 0 {
		b.acks = before(b.acks, stop)
	}
	return b, true
}

// before gives the acknowledgements for what came before the message with the packet identifier
// stop; none where that is not there, for then it came before all of them.
func before(acks []receipt, stop uint16) []receipt {
	for i, r := range acks {
		if r.id == stop {
			return acks[:i]
		}
	}
	return nil
}

// clear tells whether nothing is left that has to be handed over before what comes the
// short way. It does not wait: where it cannot tell, there is.
func (c *courier) clear() bool {
	if !c.mu.TryLock() {
		return false
	}
	clear := len(c.parcels) == 0 && (!c.calling || c.handed)
	c.mu.Unlock()
	return clear
}

// take gives the next parcel.
func (c *courier) take() (p parcel, ok, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calling, c.handed, c.hand = len(c.parcels) > 0, false, batch{}
	if !c.calling {
		return parcel{}, false, c.ended
	}
	p = c.parcels[0]
	c.parcels[0] = parcel{}
	c.parcels = c.parcels[1:]
	c.backlog -= len(p.batch.msgs)
	if p.change != nil {
		c.news--
	}
	return p, true, false
}

// guarded calls f and survives its panic, which OnPanic then gets.
func (c *courier) guarded(f func()) {
	defer func() {
		if v := recover(); v != nil {
			survive(c.cfg.OnPanic, v)
		}
	}()
	f()
}

// survive reports a panic, and survives one in the report.
func survive(report func(any, []byte), v any) {
	defer func() {
		if again := recover(); again != nil {
			reportPanic(again, stack())
		}
	}()
	report(v, stack())
}

// stack is debug.Stack, up to a size: that package brings os and fmt into a page's
// module, 23,000 bytes of download.
func stack() []byte {
	b := make([]byte, 16<<10)
	return b[:runtime.Stack(b, false)]
}

// reportPanic is the OnPanic of those who set none.
func reportPanic(v any, stack []byte) {
	print("kiiweb: panic in a handler: ", fault.PanicText(v), "\n", string(stack)) // to standard error
}
