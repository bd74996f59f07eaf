package rabbitmq

import (
	"hash/maphash"
	"time"
)

const (
	// probeTimeout is how long RabbitMQ may leave a channel without an answer on which it has confirmed nothing.
	probeTimeout = 8 * time.Second
	// blockedAfter is from when on it is tried whether it answers on another one.
	blockedAfter = 2 * time.Second
)

// probe asks for an answer on the channel when nothing was confirmed on it since some time. Where none comes, either the node hangs: then the link
// ends, since another node may not. Or one queue without a leader holds the channel up. A queue to which the channel has sent something before
// does not: but the first push to it has RabbitMQ make the channel known to the queue, which it waits for, for a minute. Then another
// channel takes this one's place, and that queue has it for itself until it answers.
func (p *publisher) probe(since time.Time) {
	if p.isReserved() || p.confirmed.sinceThen(since) || !p.probing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer p.probing.Store(false)
		p.calls.Lock()
		defer p.calls.Unlock()
		late := time.AfterFunc(probeTimeout, func() {
			if !p.isRetired() {
				p.l.killUnlessShort()
			}
		})
		defer late.Stop()
		blocked := time.AfterFunc(blockedAfter, func() {
			if blocker := p.firstOpen(); blocker != "" {
				p.slot.succeed(p, blocker)
			}
		})
		defer blocked.Stop()
		_ = p.ch.ExchangeDeclarePassive(exchange, "topic", true, false, false, false, nil)
	}()
}

// firstOpen is the topic of the first push that is not answered behind all that are confirmed: RabbitMQ takes what a channel brings one
// after the other. A queue that has confirmed something of the channel before cannot be the one that holds it up: what RabbitMQ has of it since, it cannot
// say while it is held up. One that is as new to the channel, or has not answered before, may be named in its place; the next probe finds the other.
func (p *publisher) firstOpen() (topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first uint64
	var firstKnown bool
	for _, o := range p.open {
		if o.tag <= p.acked {
			continue
		}
		known := p.known.has(p.hash(o.topic))
		if first == 0 || firstKnown && !known || firstKnown == known && o.tag < first {
			first, firstKnown, topic = o.tag, known, o.topic
		}
	}
	return topic
}

// mostKnown bounds a knownQueues, to some two megabytes.
const mostKnown = 1 << 17

// knownQueues are the hashes of topics whose queues have confirmed something of a channel. It forgets all of them when they are too many.
type knownQueues map[uint64]struct{}

func (k knownQueues) add(hash uint64) {
	if len(k) >= mostKnown {
		clear(k)
	}
	k[hash] = struct{}{}
}

func (k knownQueues) has(hash uint64) bool {
	_, has := k[hash]
	return has
}

func (p *publisher) hash(topic string) uint64 { return maphash.String(p.l.seed, topic) }

// heldUpBefore tells whether another queue holds the channel up, so that a push is not even looked at.
func (p *publisher) heldUpBefore(n uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.open[messageID(n)]
	return p.blocker != "" && o != nil && o.topic != p.blocker
}
