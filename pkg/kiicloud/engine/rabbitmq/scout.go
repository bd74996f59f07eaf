package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A queue that does not answer holds up the channel that brings its first push, until another takes that one's place (probe.go): some seconds, for
// all whose pushes go over it. When nodes have died, there may be hundreds of such queues, and they would do so one after the other. So from the first one on,
// and on a link that takes the place of one that has ended, the first push to each queue goes over a channel of its own, a scout. Who has answered goes
// on over the channel for all; who does not keeps nobody waiting.

const (
	// waryFor is how long scouts are sent, counted from when a queue has last held up a channel.
	waryFor = 10 * time.Minute
	// scoutTimeout is how long RabbitMQ may take to open a channel, unless it is short of something.
	scoutTimeout = 8 * time.Second
)

// beWary has scouts sent for some time.
func (l *link) beWary() { l.wary.set(time.Now()) }

func (l *link) isWary() bool { return !l.wary.longAgo(time.Now(), waryFor) }

// vouched are the queues that have answered a scout.
type vouched struct {
	mu     sync.Mutex
	queues knownQueues
}

func (v *vouched) add(hash uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.queues == nil {
		v.queues = knownQueues{}
	}
	v.queues.add(hash)
}

func (v *vouched) has(hash uint64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.queues.has(hash)
}

func (v *vouched) clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.queues)
}

// answers tells whether a queue can be trusted not to hold up the channel for all: it has answered, or something is on its way to it there already,
// which what comes next has to stay behind.
func (s *slot) answers(topic string) bool {
	return s.now.carries(topic) || s.vouched.has(s.now.hash(topic))
}

func (p *publisher) carries(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queues[topic] > 0 || p.known.has(p.hash(topic))
}

// scout gives a new channel for the first push to a queue, or another way where there is one meanwhile, or too many do not answer. One is opened
// at a time, so that pushes to one queue do not go two ways. The error says that nothing was opened before ctx has ended, or RabbitMQ was short of something.
func (s *slot) scout(ctx context.Context, topic string) (*publisher, uint64, error) {
	l := s.link()
	select {
	case s.scouting <- struct{}{}:
	case <-l.alarm.raised():
		return nil, 0, errors.Join(errCrowded, l.alarm.why())
	case <-ctx.Done():
		return nil, 0, errors.Join(errCrowded, ctx.Err())
	}
	if p, n := s.find(topic, !s.isFull()); n > 0 {
		<-s.scouting
		return p, n, nil
	}
	type way struct {
		p   *publisher
		n   uint64
		err error
	}
	made := make(chan way, 1)
	go func() { // RabbitMQ may be short of memory in this moment, and answer nothing for as long as that lasts
		defer func() { <-s.scouting }()
		p, n, err := s.open(l, topic)
		made <- way{p, n, err}
	}()
	select {
	case w := <-made:
		if errors.Is(w.err, amqp.ErrChannelMax) { // of the connection, as RabbitMQ allows it (channel_max)
			p, n := s.find(topic, false)
			return p, n, nil
		}
		return w.p, w.n, w.err
	case <-ctx.Done():
	case <-l.alarm.raised():
	}
	go func() {
		if w := <-made; w.err == nil {
			w.p.forget(messageID(w.n), false)
			w.p.retire("")
		}
	}()
	return nil, 0, errors.Join(errCrowded, l.alarm.why(), ctx.Err())
}

func (s *slot) link() *link {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now.l
}

func (s *slot) isFull() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.old) >= mostRetired
}

// open makes a scout: a channel that is one queue's from the beginning, and is closed when that has answered. The error is amqp.ErrChannelMax, or the link
// has ended.
func (s *slot) open(l *link, topic string) (*publisher, uint64, error) {
	late := time.AfterFunc(scoutTimeout, l.killUnlessShort)
	defer late.Stop()
	p, err := newPublisher(l, s)
	if err != nil {
		return nil, 0, fmt.Errorf("RabbitMQ opens no channel: %w", err)
	}
	p.mu.Lock()
	p.scout, p.retired, p.blocker = true, true, topic
	p.mu.Unlock()
	n := p.enter(topic, true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = append(s.old, p)
	return p, n, nil
}
