package rabbitmq

import (
	"context"
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

// publisher is a channel in confirm mode.
type publisher struct {
	ch        *amqp.Channel
	returns   chan amqp.Return
	hangs     func()
	confirmed atomic.Int64 // when RabbitMQ last confirmed something, in nanoseconds since 1970

	mu       sync.Mutex
	last     uint64
	returned map[string]bool // by message id, of those on their way: has RabbitMQ sent it back?
}

// The pushes that are not confirmed are bounded. There is room for as many returns: the library throws one
// away that finds no room for a while.
const (
	senders = 64 // calls of Publish at the same time
	window  = 32 // pushes of one of them that are on their way
)

func newPublisher(l *link) (*publisher, error) {
	ch, err := l.conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, err
	}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	go func() { // RabbitMQ closes a channel to say that something is wrong with it; a new link has new ones
		<-closed
		l.close()
	}()
	return &publisher{ch: ch, hangs: l.kill, returned: map[string]bool{}, returns: ch.NotifyReturn(make(chan amqp.Return, senders*window))}, nil
}

// sent is a push on its way.
type sent struct {
	p  *publisher
	id string
	dc *amqp.DeferredConfirmation
	at time.Time
}

// send writes a push. An error leaves open whether RabbitMQ has it.
func (p *publisher) send(topic string, m amqp.Publishing) (sent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sort()
	p.last++
	m.MessageId = strconv.FormatUint(p.last, 36)
	p.returned[m.MessageId] = false
	dc, err := p.ch.PublishWithDeferredConfirm(exchange, topic, true, false, m)
	if err != nil {
		delete(p.returned, m.MessageId)
		return sent{}, err
	}
	return sent{p, m.MessageId, dc, time.Now()}, nil
}

// wait waits until RabbitMQ has said what became of a push.
func (s sent) wait(ctx context.Context) outcome {
	select {
	case <-s.dc.Done():
	case <-ctx.Done():
	}
	s.judge()
	acked := s.dc.Acked() // false, too, when the connection has ended, and after a refusal, which proves nothing
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.sort() // a return is here before its confirm
	back := s.p.returned[s.id]
	delete(s.p.returned, s.id)
	switch {
	case !acked:
		return unknown
	case back:
		return unroutable
	}
	return stored
}

// judge ends the connection when the push was not confirmed in all the time that RabbitMQ has for that, nor
// was any other that went the same way: then the way is blocked, and another node may have one.
func (s sent) judge() {
	if s.dc.Acked() {
		s.p.confirmed.Store(time.Now().UnixNano())
	} else if time.Since(s.at) >= confirmTimeout/2 && s.p.confirmed.Load() < s.at.UnixNano() {
		s.p.hangs()
	}
}

// sort notes what has come back.
func (p *publisher) sort() {
	for {
		select {
		case r, open := <-p.returns:
			if !open {
				return
			}
			if _, ours := p.returned[r.MessageId]; ours {
				p.returned[r.MessageId] = true
			}
		default:
			return
		}
	}
}
