package rabbitmq

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The library keeps every confirm of a channel in memory that comes while an earlier one is open, so that listeners could have them in
// order. There are no listeners here; but as long as a queue without a leader leaves one push unanswered, all that are sent behind it add
// to that. So such a channel gets a successor.
const (
	staleAfter  = 2 * time.Minute // from so long on a push without an answer is a reason,
	manyBehind  = 10_000          // when so many were sent behind it on the channel, which are less than a megabyte
	mostRetired = 64              // of the channels of a slot
)

// slot is the way of one share of all queues to RabbitMQ. A channel that has got a successor keeps the queues of which something is
// unanswered: so the order of their pushes stays, and the new channel is not the first to send something to a queue without a leader: that
// would hold it up for a minute, since RabbitMQ makes it known to the queue first. When all is answered the old one is closed.
type slot struct {
	mu  sync.RWMutex
	now *publisher
	old []*publisher // and scouts

	vouched  vouched
	scouting chan struct{} // has one while a scout is being opened
}

// enter finds the channel for the next push to a queue, and gives its number there. It may have to open one: the error is that there was
// no answer to that before ctx has ended.
func (s *slot) enter(ctx context.Context, topic string) (*publisher, uint64, error) {
	if p, n := s.find(topic, true); n > 0 {
		return p, n, nil
	}
	return s.scout(ctx, topic)
}

// find gives the channel among those that there are. 0: the queue needs a scout, unless it is to go without.
func (s *slot) find(topic string, scouts bool) (*publisher, uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.old {
		if n := p.enter(topic, true); n > 0 {
			return p, n
		}
	}
	if scouts && s.now.l.isWary() && !s.answers(topic) {
		return nil, 0
	}
	return s.now, s.now.enter(topic, false)
}

// abandon is for a push that nobody waits for any more, since it is answered as unknown. It ends with RabbitMQ's answer, or with the link.
func (s sent) abandon() {
	look := time.NewTicker(staleAfter)
	defer look.Stop()
	for {
		select {
		case <-s.dc.Done():
			s.end()
			return
		case <-look.C:
			if s.p.last.Load()-s.n >= manyBehind {
				s.p.slot.replace(s.p)
			}
		}
	}
}

// replace gives p a successor, unless RabbitMQ takes nothing now.
func (s *slot) replace(p *publisher) {
	if p.l.trouble() != nil {
		return
	}
	late := time.AfterFunc(toolTimeout, p.l.killUnlessShort)
	defer late.Stop()
	s.succeed(p, "")
}

// succeed puts a new channel in the place of p, unless somebody else does so, or has. blocker is whose queue holds p up, or empty.
func (s *slot) succeed(p *publisher, blocker string) {
	if !p.replacing.CompareAndSwap(false, true) {
		return
	}
	defer p.replacing.Store(false)
	s.mu.RLock()
	has, full := s.now != p, len(s.old) >= mostRetired
	s.mu.RUnlock()
	switch {
	case has:
		p.reserve(blocker)
		return
	case full:
		return
	}
	next, err := newPublisher(p.l, s)
	if err != nil {
		return // the link has ended; if not, it is tried again
	}
	s.mu.Lock()
	s.now, s.old = next, append(s.old, p)
	s.mu.Unlock()
	s.vouched.clear() // that was some time ago
	if blocker != "" {
		p.l.beWary()
	}
	p.retire(blocker)
}

// drop forgets a channel that is closed.
func (s *slot) drop(p *publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = slices.DeleteFunc(s.old, func(o *publisher) bool { return o == p })
}

// killUnlessShort ends the link, unless RabbitMQ says why it does not answer.
func (l *link) killUnlessShort() {
	if l.alarm.why() == nil {
		l.kill()
	}
}

// retire has the channel closed when all that is on its way there is answered, and something to the blocker was confirmed.
func (p *publisher) retire(blocker string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired, p.blocker = true, ""
	if p.queues[blocker] > 0 { // else it has answered meanwhile
		p.blocker = blocker
	}
	p.closeIfUnused()
}

// reserve keeps other queues than one off a channel that has a successor, as long as that one does not answer.
func (p *publisher) reserve(topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired && p.blocker == "" && p.queues[topic] > 0 && !p.ch.IsClosed() { // else nothing more may come over it
		p.blocker = topic
	}
}

func (p *publisher) isReserved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blocker != ""
}

func (p *publisher) isRetired() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.retired
}

// closeIfUnused is called with mu held.
func (p *publisher) closeIfUnused() {
	if !p.retired || p.blocker != "" || len(p.open) > 0 {
		return
	}
	go func() {
		p.slot.drop(p)
		p.calls.Lock()
		defer p.calls.Unlock()
		late := time.AfterFunc(toolTimeout, p.l.killUnlessShort)
		defer late.Stop()
		_ = p.ch.Close()
	}()
}
