package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// outcome is what became of a push that was to be sent.
type outcome int

const (
	stored     outcome = iota // RabbitMQ has it
	unroutable                // it has no queue to put it into, and sent it back
	unsent                    // it was not sent
	unknown                   // it may have it
)

const (
	// alarmPatience is how long a push that was sent may still be confirmed when RabbitMQ says that it takes nothing.
	alarmPatience = time.Second
)

// publisher is a channel in confirm mode.
type publisher struct {
	l         *link
	slot      *slot
	ch        *amqp.Channel
	last      atomic.Uint64
	confirmed moment // when RabbitMQ last confirmed something
	probing   atomic.Bool
	replacing atomic.Bool
	calls     sync.Mutex // held during what RabbitMQ answers on the channel, which is one thing at a time

	flushes chan chan struct{} // closed in turn when what came back before is noted
	over    chan struct{}      // closed when nothing comes back any more

	mu      sync.Mutex
	open    map[string]*pending // those on their way, by message id
	queues  map[string]int      // how many of them are for whom, by topic
	acked   uint64              // the highest tag that was confirmed
	known   knownQueues         // those that have confirmed something
	retired bool                // it has a successor, or is a scout
	scout   bool                // it is a channel for the first push to its blocker
	blocker string              // the topic whose queue holds it up: it has the channel for itself; "": none does
}

// pending is a push on its way.
type pending struct {
	topic string
	tag   uint64 // its place on the channel, from 1 on; 0: not written yet
	back  bool   // RabbitMQ has sent it back
}

func newPublisher(l *link, slot *slot) (*publisher, error) {
	ch, err := l.push.conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, err
	}
	p := &publisher{l: l, slot: slot, ch: ch, open: map[string]*pending{}, queues: map[string]int{}, known: knownQueues{}, flushes: make(chan chan struct{}), over: make(chan struct{})}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	go func() { // RabbitMQ closes a channel to say that something is wrong with it; a new link has new ones
		<-closed
		if p.isRetired() {
			p.retire("") // whose queue had it for itself is not kept to it
		} else {
			l.close()
		}
	}()
	go p.note(ch.NotifyReturn(make(chan amqp.Return)))
	return p, nil
}

// note notes what comes back. It ends with the channel.
func (p *publisher) note(returns <-chan amqp.Return) {
	defer close(p.over)
	for {
		select {
		case r, open := <-returns:
			if !open {
				return
			}
			p.mu.Lock()
			if o := p.open[r.MessageId]; o != nil {
				o.back = true
			}
			p.mu.Unlock()
		case done := <-p.flushes:
			close(done)
		}
	}
}

// sent is a push on its way.
type sent struct {
	p  *publisher
	n  uint64 // which one of the channel's it is, from 1 on
	id string
	dc *amqp.DeferredConfirmation
	at time.Time
	t  *ticket
}

// send writes a push, which has the place t; whoever waits for it gives that back. An error leaves open whether
// RabbitMQ has it, unless it is an errUnsent.
func (l *link) send(ctx context.Context, topic string, m amqp.Publishing, t *ticket) (sent, error) {
	p, n, err := l.slotOf(topic).enter(ctx, topic)
	if err != nil {
		t.leave()
		return sent{}, fmt.Errorf("%w: %w", errUnsent, err)
	}
	return p.send(n, topic, m, t)
}

// errUnsent means that nothing was written.
var errUnsent = errors.New("there is no channel for the push")

func (p *publisher) send(n uint64, topic string, m amqp.Publishing, t *ticket) (sent, error) {
	m.MessageId = messageID(n)
	dc, err := p.ch.PublishWithDeferredConfirm(exchange, topic, true, false, m)
	if err != nil {
		p.forget(m.MessageId, false)
		t.leave()
		return sent{}, err
	}
	p.written(m.MessageId, dc.DeliveryTag)
	return sent{p, n, m.MessageId, dc, time.Now(), t}, nil
}

func messageID(n uint64) string { return strconv.FormatUint(n, 36) }

// enter gives the number of the push that comes next. 0: this channel has got a successor, and keeps other queues than this one.
func (p *publisher) enter(topic string, behind bool) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if behind && (p.blocker != "" && p.blocker != topic || p.blocker == "" && p.queues[topic] == 0) {
		return 0
	}
	n := p.last.Add(1)
	p.open[messageID(n)] = &pending{topic: topic}
	p.queues[topic]++
	return n
}

// written notes the place that a push has got on the channel: those that come at the same time may be written in another order
// than they have entered.
func (p *publisher) written(id string, tag uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[id].tag = tag
}

// forget gives whether a push has come back. It is not on its way any more.
func (p *publisher) forget(id string, acked bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.open[id]
	delete(p.open, id)
	if p.queues[o.topic]--; p.queues[o.topic] == 0 {
		delete(p.queues, o.topic)
	}
	if acked {
		p.acked = max(p.acked, o.tag)
		if o.back { // the next one that has this name is another queue
			delete(p.known, p.hash(o.topic))
		} else {
			p.known.add(p.hash(o.topic))
			if p.scout {
				p.slot.vouched.add(p.hash(o.topic))
			}
		}
		if p.blocker == o.topic {
			p.blocker = ""
		}
	}
	p.closeIfUnused()
	return o.back
}

// wait waits until RabbitMQ has said what became of a push, but not longer than confirmTimeout, nor than ctx, nor much
// longer than RabbitMQ takes anything.
func (s sent) wait(ctx context.Context) outcome {
	late, slow := time.NewTimer(confirmTimeout), time.NewTimer(slowAfter)
	defer late.Stop()
	defer slow.Stop()
	alarm := s.p.l.alarm.raised()
	for {
		select {
		case <-s.dc.Done():
			return s.end()
		case <-slow.C:
			s.t.linger()
			s.p.probe(s.at)
			continue
		case <-alarm:
			alarm = nil
			late.Reset(alarmPatience)
			continue
		case <-late.C:
		case <-ctx.Done():
		}
		if s.p.heldUpBefore(s.n) { // not by its own queue, which gets more over another channel
			s.t.leave()
		}
		go s.abandon()
		return unknown
	}
}

// end gives the place back when RabbitMQ has answered, and tells what it said.
func (s sent) end() outcome {
	<-s.dc.Done()
	defer s.t.leave()
	acked := s.dc.Acked() // false, too, when the connection has ended, and after a refusal, which proves nothing
	if acked {
		s.p.confirmed.set(time.Now())
	}
	noted := make(chan struct{})
	select { // a return comes before its confirm
	case s.p.flushes <- noted:
		<-noted
	case <-s.p.over:
	}
	switch back := s.p.forget(s.id, acked); {
	case !acked:
		return unknown
	case back:
		return unroutable
	}
	return stored
}
