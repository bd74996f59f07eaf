package engine

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	storeTimeout = 5 * time.Second // one call of the queue
	storeRetry   = time.Second     // until the next attempt after one that failed
)

// run is the goroutine of a pump.
func (p *pump) run() {
	defer close(p.done)
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("panic while delivering", "installation", p.installation, "panic", r, "stack", string(debug.Stack()))
			p.out.giveUp()
		}
	}()
	for {
		err := p.work()
		if p.ctx.Err() != nil {
			break
		}
		var retry <-chan time.Time
		if err != nil {
			p.log.Warn("delivery is held up by the store", "installation", p.installation, "error", err)
			retry = time.After(storeRetry)
		}
		select {
		case <-p.wake:
		case <-retry:
		case <-p.ctx.Done():
		}
	}
	if err := p.settle(context.Background()); err != nil {
		p.log.Warn("acknowledged pushes may be repeated", "installation", p.installation, "error", err)
	}
}

// work sends what there is room for and tells the queue what was acknowledged, until
// neither is left. The error is one of the store: a connection that fails ends elsewhere.
func (p *pump) work() error {
	for {
		sent, err := p.fill()
		if err := errors.Join(err, p.settle(p.ctx)); err != nil {
			return err
		}
		if !sent {
			return nil
		}
	}
}

// room is how many pushes may be sent now, and how.
func (p *pump) room() (subscription, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sub == nil {
		return subscription{}, 0
	}
	if p.sub.qos == 0 {
		return *p.sub, p.window
	}
	return *p.sub, p.window - len(p.inflight)
}

// fill sends the next pushes of the queue. It reports whether there were any.
func (p *pump) fill() (bool, error) {
	p.sending.Lock()
	defer p.sending.Unlock()
	sub, room := p.room()
	if room <= 0 {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(p.ctx, storeTimeout)
	defer cancel()
	pushes, err := p.queue.Pending(ctx, p.installation, p.after, room)
	if err != nil || len(pushes) == 0 {
		return false, err
	}
	var gone []int64
	sent := p.out.together(func() error {
		gone, err = p.sendAll(sub, pushes)
		return err
	})
	if sent != nil { // what was not acknowledged stays in the queue
		p.log.Debug("delivery ends", "installation", p.installation, "error", sent)
		p.quit()
		p.out.giveUp()
		return false, nil
	}
	p.mu.Lock()
	p.acked = append(p.acked, gone...)
	p.mu.Unlock()
	return true, nil
}

// sendAll sends pushes and gives the places of those that the queue need not keep: sent at
// QoS 0, or never to be sent.
func (p *pump) sendAll(sub subscription, pushes []store.Push) (gone []int64, err error) {
	for _, push := range pushes {
		p.after = push.Seq
		if sub.noLocal && strings.HasPrefix(push.MessageID, ownPrefix) {
			gone = append(gone, push.Seq)
			continue
		}
		m := outgoing{push: push, qos: sub.qos, identifier: sub.identifier}
		if sub.qos > 0 {
			m.packetID = p.track(push.Seq)
		}
		err := p.out.send(m)
		switch {
		case errors.Is(err, errTooLarge):
			p.untrack(m.packetID)
			p.count.tooLarge.Add(1)
			p.log.Warn("push dropped: larger than the client's maximum packet size",
				"installation", p.installation, "pushMessageID", push.MessageID, "bytes", len(push.Payload))
			gone = append(gone, push.Seq)
		case err != nil:
			return nil, err
		case sub.qos == 0:
			p.count.delivered.Add(1)
			gone = append(gone, push.Seq)
		}
		if err == nil {
			p.count.sent.Add(1)
			if p.count.took != nil {
				p.count.took(time.Since(push.CreatedAt))
			}
		}
	}
	return gone, nil
}

// track takes a free packet identifier for a push that is about to be sent.
func (p *pump) track(seq int64) uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		p.lastID++
		if _, used := p.inflight[p.lastID]; p.lastID != 0 && !used {
			p.inflight[p.lastID] = seq
			return p.lastID
		}
	}
}

func (p *pump) untrack(packetID uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.inflight, packetID)
}

// settle tells the queue what the client has, all of it in one transaction.
func (p *pump) settle(ctx context.Context) error {
	p.mu.Lock()
	acked := p.acked
	p.acked = nil
	p.mu.Unlock()
	if len(acked) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := p.queue.Acknowledge(ctx, p.installation, acked)
	if err != nil {
		p.mu.Lock()
		p.acked = append(acked, p.acked...)
		p.mu.Unlock()
	}
	return err
}
