package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	// confirmTimeout is how long RabbitMQ may take to confirm a push, or to make a queue. While a
	// cluster chooses another leader for a queue it takes some seconds.
	confirmTimeout = 10 * time.Second
	// perReceiver is added to it for each receiver, for a cluster that is as slow as one may be.
	perReceiver = 20 * time.Millisecond
)

var (
	errUnroutable = errors.New("RabbitMQ has no place for the push, although its queue was made anew")
	errSilent     = errors.New("RabbitMQ did not confirm it in time")
)

// Publish is part of engine.Engine.
func (e *Engine) Publish(ctx context.Context, to []store.Installation, p store.Push) error {
	if len(to) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout+time.Duration(len(to))*perReceiver)
	defer cancel()
	n, err := e.publish(ctx, to, p)
	switch {
	case err == nil:
		e.count.accepted.Add(1)
		e.count.queued.Add(int64(n))
	case errors.Is(err, engine.ErrUnconfirmed):
		e.count.unconfirmed.Add(1)
	default:
		e.count.refused.Add(1)
	}
	return err
}

// forward sends an installation what the store has kept for it.
func (e *Engine) forward(ctx context.Context, inst store.Installation, p store.Push) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	_, err := e.publish(ctx, []store.Installation{inst}, p)
	return err
}

// publish sends a push and tells for how many it is stored.
func (e *Engine) publish(ctx context.Context, to []store.Installation, p store.Push) (int, error) {
	if p.ExpiresAt.IsZero() {
		p.ExpiresAt = time.Now().Add(store.QueueTTL)
	}
	var t tally
	back, err := e.attempt(ctx, each(to), p, &t)
	if len(back) > 0 {
		err = errors.Join(err, e.again(ctx, back, p, &t))
	}
	return t.stored, t.verdict(err)
}

// again makes the queues of those to whom a push could not be routed, a few at a time, and sends it once more. Who is
// gone is left out.
func (e *Engine) again(ctx context.Context, back []store.Installation, p store.Push, t *tally) (err error) {
	installed, failed := make([]bool, len(back)), make([]error, len(back))
	var making sync.WaitGroup
	room := make(chan struct{}, toolbox)
	for i, inst := range back {
		room <- struct{}{}
		making.Go(func() {
			installed[i], failed[i] = e.ensure(ctx, inst, true)
			<-room
		})
	}
	making.Wait()
	var there []store.Installation
	for i, inst := range back {
		switch {
		case failed[i] != nil:
			t.lost++
			err = failed[i] // one of them tells enough
		case installed[i]:
			there = append(there, inst)
		}
	}
	if len(there) == 0 {
		return err
	}
	e.Logger.Info("queues were missing and are made anew", "installations", len(there), "first", there[0].ID)
	back, why := e.attempt(ctx, there, p, t)
	t.lost += len(back)
	if len(back) > 0 {
		why = errors.Join(why, errUnroutable)
	}
	return errors.Join(err, why)
}

// each is to without those who are there twice.
func each(to []store.Installation) []store.Installation {
	if len(to) == 1 {
		return to
	}
	seen := make(map[string]bool, len(to))
	all := make([]store.Installation, 0, len(to))
	for _, inst := range to {
		if !seen[inst.ID] {
			seen[inst.ID] = true
			all = append(all, inst)
		}
	}
	return all
}

// attempt sends a push, tallies what became of it, and gives those to whom it could not be routed.
func (e *Engine) attempt(ctx context.Context, to []store.Installation, p store.Push, t *tally) (back []store.Installation, err error) {
	topics := make([]string, len(to))
	for i, inst := range to {
		topics[i] = inst.Topic
	}
	out, err := e.broker.publish(ctx, topics, p)
	for i, o := range out {
		switch o {
		case stored:
			t.stored++
		case unroutable:
			back = append(back, to[i])
		case unsent:
			t.lost++
		default:
			t.unknown++
		}
	}
	return back, err
}

// tally counts what became of a push to many.
type tally struct{ stored, lost, unknown int }

// verdict is the error of a push: none when all have it, ErrUnavailable when nobody can have it.
func (t tally) verdict(why error) error {
	if t.lost == 0 && t.unknown == 0 {
		return nil
	}
	if why == nil {
		why = errSilent
	}
	if t.stored == 0 && t.unknown == 0 {
		if errors.Is(why, engine.ErrUnavailable) {
			return why
		}
		return fmt.Errorf("%w: %w", engine.ErrUnavailable, why)
	}
	return fmt.Errorf("%w by all: %d of %d have it, of %d it is not known: %w", engine.ErrUnconfirmed, t.stored, t.stored+t.lost+t.unknown, t.unknown, why)
}
