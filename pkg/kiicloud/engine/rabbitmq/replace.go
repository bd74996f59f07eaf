package rabbitmq

import "time"

// The library keeps every confirm of a channel in memory that comes while an earlier one is open, so that listeners could have them in
// order. There are no listeners here; but as long as a queue without a leader leaves one push unanswered, all that are sent behind it add
// to that. So such a channel is replaced.
const (
	staleAfter = 2 * time.Minute // from so long on a push without an answer is a reason,
	manyBehind = 10_000          // when so many were sent behind it on the channel, which are less than a megabyte
)

// abandon is for a push that nobody waits for any more, since it is answered as unknown. It ends with RabbitMQ's answer, with the channel,
// or with the link.
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
				s.p.l.replace(s.p)
			}
		}
	}
}

// replace has a new channel take the place of p, unless RabbitMQ takes nothing now, or somebody else does so.
func (l *link) replace(p *publisher) {
	if l.trouble() != nil || !p.replacing.CompareAndSwap(false, true) {
		return
	}
	defer p.replacing.Store(false)
	if p.isRetired() {
		return
	}
	late := time.AfterFunc(toolTimeout, l.killUnlessShort)
	defer late.Stop()
	next, err := newPublisher(l, p.slot)
	if err != nil {
		return // the link has ended; if not, it is tried again
	}
	l.pubs[p.slot].Store(next)
	p.retire()
}

// killUnlessShort ends the link, unless RabbitMQ says why it does not answer.
func (l *link) killUnlessShort() {
	if l.alarm.why() == nil {
		l.kill()
	}
}

// retire has the channel closed when nobody waits any more for what is on its way there. What is left then was answered as unknown: RabbitMQ
// may put it into its queue, or not.
func (p *publisher) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	p.closeIfUnused()
}

func (p *publisher) isRetired() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.retired
}

// left says that one waits no more.
func (p *publisher) left() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.awaited--
	p.closeIfUnused()
}

func (p *publisher) closeIfUnused() {
	if !p.retired || p.awaited > 0 {
		return
	}
	go func() {
		p.calls.Lock()
		defer p.calls.Unlock()
		late := time.AfterFunc(toolTimeout, p.l.killUnlessShort)
		defer late.Stop()
		_ = p.ch.Close()
	}()
}
