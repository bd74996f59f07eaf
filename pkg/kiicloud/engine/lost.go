package engine

import (
	"slices"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What newer pushes push out of a full queue need not be lost: its client may have acknowledged it, which the store is told of a moment
// later, or have been sent it. Only what no client gets counts as dropped.

// lost tells how many of the pushes that were pushed out of queues their clients do not get, by installation: those of which that is
// known already.
func (e *Embedded) lost(to []store.Installation, out map[string][]int64) map[string]int {
	if len(out) == 0 {
		return nil
	}
	lost := map[string]int{}
	for _, inst := range to {
		if places := out[inst.ID]; len(places) > 0 {
			lost[inst.ID] = len(e.pushedOut(inst, places))
		}
	}
	return lost
}

func (e *Embedded) pushedOut(inst store.Installation, places []int64) (lost []int64) {
	if s := e.sessions.of(inst.Topic); s != nil {
		if p := s.delivery(); p != nil {
			return p.pushedOut(places)
		}
	}
	return e.settled.without(inst.ID, places)
}

// pushedOut tells the pump that these places are in the queue no more, and gives those that its client neither had nor is being
// sent. What it is being sent counts as dropped when it does not acknowledge it.
func (p *pump) pushedOut(places []int64) (lost []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	places = p.settled.without(p.installation, places)
	if p.stopped {
		return places
	}
	sent := make(map[int64]bool, len(p.inflight))
	for _, seq := range p.inflight {
		sent[seq] = true
	}
	for _, seq := range places {
		if seq > p.taking && !sent[seq] {
			lost = append(lost, seq)
			continue
		}
		if p.pushed == nil {
			p.pushed = map[int64]struct{}{}
		}
		p.pushed[seq] = struct{}{}
	}
	return lost
}

// take notes what is about to be sent.
func (p *pump) take(pushes []store.Push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taking = pushes[len(pushes)-1].Seq
}

// taken ends what next began. gone are the places for which the queue waits for no acknowledgement.
func (p *pump) taken(gone []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taking = 0
	if len(p.pushed) == 0 {
		return
	}
	left := map[int64]struct{}{}
	for _, seq := range p.inflight {
		if _, out := p.pushed[seq]; out {
			left[seq] = struct{}{}
			delete(p.pushed, seq)
		}
	}
	for _, seq := range gone {
		delete(p.pushed, seq)
	}
	p.dropOut()
	p.pushed = left
}

// dropOut counts what was pushed out of the queue and its client has not had. The caller holds mu.
func (p *pump) dropOut() {
	p.count.dropped.Add(int64(len(p.pushed)))
	p.pushed = nil
}

// without gives those of an installation's places that its client has not acknowledged lately.
func (s *settler) without(installation string, places []int64) (rest []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seq := range places {
		settled := slices.ContainsFunc([]*settlement{s.last, s.now, s.next}, func(t *settlement) bool {
			return t != nil && slices.Contains(t.places[installation], seq)
		})
		if !settled {
			rest = append(rest, seq)
		}
	}
	return rest
}
