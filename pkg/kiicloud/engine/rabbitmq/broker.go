package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// broker is what the engine needs of RabbitMQ.
type broker interface {
	// publish sends a push to many topics and tells, for each, what became of it.
	publish(ctx context.Context, topics []string, p store.Push) ([]outcome, error)
	// ensure makes a topic's queue where it is missing, and, with bind, its binding.
	ensure(ctx context.Context, topic string, bind bool) (made bool, err error)
	// remove removes a topic's queue.
	remove(ctx context.Context, topic string) error
	// disconnect ends all connections of a user.
	disconnect(ctx context.Context, user string) error
	check(ctx context.Context) error
	close()
}

// cluster is RabbitMQ.
type cluster struct {
	keeper     *keeper
	management *management
	flight     *flight
}

func newCluster(c Config) broker {
	m := newManagement(c.Address)
	return &cluster{management: m, flight: newFlight(), keeper: keep(c.Address, bounds{m, c.Address.VHost}, c.Logger)}
}

func (c *cluster) close() {
	c.keeper.close()
	c.management.close()
}

func (c *cluster) check(ctx context.Context) error {
	if err := c.keeper.check(ctx); err != nil {
		return err
	}
	return c.management.alarms(ctx)
}

func (c *cluster) disconnect(ctx context.Context, user string) error {
	return c.management.endConnections(ctx, user)
}

func (c *cluster) ensure(ctx context.Context, topic string, bind bool) (made bool, err error) {
	l, err := c.keeper.link(ctx)
	if err == nil {
		if made, err = l.ensure(ctx, topic, bind); err != nil {
			err = fmt.Errorf("%w: %w", engine.ErrUnavailable, err)
		}
	}
	return made, err
}

func (c *cluster) remove(ctx context.Context, topic string) error {
	l, err := c.keeper.link(ctx)
	if err != nil {
		return err
	}
	return l.remove(ctx, topic)
}

// publish has many pushes on their way at the same time, each for confirmTimeout at most. A queue that confirms nothing
// keeps no others waiting. It goes on as long as something is confirmed. The error says why some were not.
func (c *cluster) publish(ctx context.Context, topics []string, p store.Push) ([]outcome, error) {
	out := make([]outcome, len(topics))
	for i := range out {
		out[i] = unsent
	}
	l, err := c.keeper.link(ctx)
	if err != nil {
		return out, err
	}
	if why := l.trouble(); why != nil {
		return out, why
	}
	m := message(p)
	if len(topics) == 1 {
		t, err := c.flight.enter(ctx, topics[0], nil)
		if err != nil {
			return out, err
		}
		s, err := l.send(ctx, topics[0], m, t)
		if err != nil {
			if !errors.Is(err, errUnsent) {
				out[0] = unknown
			}
			return out, err
		}
		out[0] = s.wait(ctx)
		return out, errors.Join(ctx.Err(), l.trouble())
	}
	f := fanout{c: c, l: l, m: m, window: make(chan struct{}, mostOfCall)}
	err = f.run(ctx, topics, out)
	return out, errors.Join(err, ctx.Err(), l.trouble())
}

// fanout is one push on its way to many.
type fanout struct {
	c         *cluster
	l         *link
	m         amqp.Publishing
	window    chan struct{}
	confirmed moment // when RabbitMQ has last answered
	waiting   sync.WaitGroup
}

// run sends until nothing is confirmed any more, or ctx ends, and waits for the answers. The error is the first one.
func (f *fanout) run(ctx context.Context, topics []string, out []outcome) (err error) {
	defer f.waiting.Wait()
	f.confirmed.set(time.Now())
	for i, topic := range topics {
		if failed := f.place(ctx); failed != nil {
			return errors.Join(err, failed)
		}
		if f.l.trouble() != nil || ctx.Err() != nil {
			return err
		}
		if f.confirmed.longAgo(time.Now(), confirmTimeout) {
			return errors.Join(err, errSilent)
		}
		t, failed := f.c.flight.enter(ctx, topic, f.window)
		if failed != nil {
			<-f.window
			if err == nil {
				err = failed
			}
			if !errors.Is(failed, errStuck) {
				return err
			}
			continue
		}
		s, failed := f.l.send(ctx, topic, f.m, t)
		if failed != nil {
			if !errors.Is(failed, errUnsent) {
				out[i] = unknown
			}
			return errors.Join(err, failed)
		}
		f.waiting.Go(func() {
			if out[i] = s.wait(ctx); out[i] != unknown {
				f.confirmed.set(time.Now())
			}
		})
	}
	return err
}

// place waits for one in the window, as long as a push may take.
func (f *fanout) place(ctx context.Context) error {
	select {
	case f.window <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(confirmTimeout)
	defer late.Stop()
	select {
	case f.window <- struct{}{}:
		return nil
	case <-late.C:
		return errSilent
	case <-ctx.Done():
		return nil // which the caller looks at
	}
}

// message is a push as RabbitMQ shall keep and deliver it. Headers become user properties of MQTT 5,
// the expiration its message expiry interval, and a delivery mode of 2 QoS 1.
func message(p store.Push) amqp.Publishing {
	m := amqp.Publishing{DeliveryMode: amqp.Persistent, Headers: amqp.Table{"pushMessageID": p.MessageID}, Body: p.Payload}
	if !p.ExpiresAt.IsZero() {
		m.Expiration = fmt.Sprint(max(time.Until(p.ExpiresAt).Milliseconds(), 1000))
	}
	return m
}
