package engine

import (
	"context"
	"errors"
	"math"
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
func (p *pump) run(ctx context.Context) {
	defer p.idle.Done()
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("panic while delivering", "installation", p.installation, "panic", r, "stack", string(debug.Stack()))
			p.out.giveUp()
		}
	}()
	for {
		err := p.work(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("delivery is held up by the store", "installation", p.installation, "error", err)
			retry := time.NewTimer(storeRetry)
			select {
			case <-retry.C:
			case <-ctx.Done():
			}
			retry.Stop()
		}
		if p.rest(err != nil) {
			return
		}
	}
}

// rest ends the goroutine, unless there is more to do.
func (p *pump) rest(failed bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if (failed || p.again) && !p.stopped {
		p.again = false
		return false
	}
	p.quit()
	p.running, p.quit = false, nil
	return true
}

// work sends what there is room for, until there is nothing left. The error is one of the
// store: a connection that fails ends elsewhere.
func (p *pump) work(ctx context.Context) error {
	for ctx.Err() == nil {
		if sent, err := p.fill(ctx); err != nil || !sent {
			return err
		}
	}
	return nil
}

// fill sends the next pushes. It reports whether there were any.
func (p *pump) fill(ctx context.Context) (bool, error) {
	p.sending.Lock()
	defer p.sending.Unlock()
	var gone []int64
	defer func() { p.taken(gone) }()
	sub, pushes, room := p.next()
	if room > 0 {
		var err error
		if pushes, err = p.read(ctx, room); err != nil {
			return false, err
		}
	}
	if len(pushes) == 0 {
		return false, nil
	}
	p.take(pushes)
	send := func() (err error) {
		gone, err = p.sendAll(sub, pushes)
		return err
	}
	var err error
	if len(pushes) == 1 { // as it is nearly always
		err = send()
	} else {
		err = p.out.together(send)
	}
	if err != nil { // what was not acknowledged stays in the queue
		p.log.Debug("delivery ends", "installation", p.installation, "error", err)
		p.fail()
		p.out.giveUp()
		return false, nil
	}
	p.settled.add(p.installation, gone...)
	return true, nil
}

// fail keeps the goroutine from coming back to a connection that is over.
func (p *pump) fail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sub, p.again = nil, false
}

// next gives what to send now: pushes that were offered, or for how many there is room of
// those that have to be read from the queue.
func (p *pump) next() (_ subscription, pushes []store.Push, room int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sub == nil {
		return subscription{}, nil, 0
	}
	room = p.window
	if p.sub.qos > 0 {
		room -= len(p.inflight)
	}
	p.taking = math.MaxInt64                                // until it is known
	for len(p.offered) > 0 && p.offered[0].Seq <= p.after { // read meanwhile
		p.offered = p.offered[1:]
	}
	if len(p.offered) == 0 {
		p.offered = nil // with what it has room for
	}
	switch {
	case room <= 0 || !p.behind && len(p.offered) == 0:
		return *p.sub, nil, 0
	case p.behind || p.offered[0].Seq != p.after+1 || time.Since(p.since) > offeredAge:
		p.behind, p.offered = false, nil
		return *p.sub, nil, room
	}
	n := 1
	for n < min(room, len(p.offered)) && p.offered[n].Seq == p.offered[n-1].Seq+1 {
		n++
	}
	pushes, p.offered = p.offered[:n], p.offered[n:]
	if len(p.offered) == 0 {
		p.offered = nil
	}
	return *p.sub, pushes, 0
}

// read gives the next pushes of the queue.
func (p *pump) read(ctx context.Context, room int) ([]store.Push, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	pushes, err := p.queue.Pending(ctx, p.installation, p.after, room)
	if err != nil || len(pushes) == room {
		p.mu.Lock()
		p.behind, p.offered = true, nil
		p.mu.Unlock()
		return pushes, err
	}
	if len(pushes) == 0 { // what was in the queue when the client came is there no more
		p.after = max(p.after, p.given)
	}
	return pushes, nil
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
			return gone, err
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
	if p.inflight == nil {
		p.inflight = make(map[uint16]int64)
	}
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
