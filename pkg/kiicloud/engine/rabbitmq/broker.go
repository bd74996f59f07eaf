package rabbitmq

import (
	"context"
	"errors"
	"fmt"
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
}

func newCluster(c Config) broker {
	m := newManagement(c.Address)
	return &cluster{management: m, keeper: keep(c.Address, func(ctx context.Context) error { return m.setPolicy(ctx, c.Address.VHost) }, c.Logger)}
}

func (c *cluster) close() {
	c.keeper.close()
	c.management.close()
}

func (c *cluster) check(ctx context.Context) error { return c.keeper.check(ctx) }

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

// publish has a few pushes on their way at the same time. The error says why some were not confirmed.
func (c *cluster) publish(ctx context.Context, topics []string, p store.Push) ([]outcome, error) {
	out := make([]outcome, len(topics))
	for i := range out {
		out[i] = unsent
	}
	l, err := c.keeper.link(ctx)
	if err != nil {
		return out, err
	}
	m := message(p)
	var way []sent // of topics[waited:]
	waited := 0
	wait := func() {
		if way[0].p != nil {
			out[waited] = way[0].wait(ctx)
		}
		way, waited = way[1:], waited+1
	}
	for i, topic := range topics {
		if len(way) == window {
			wait()
		}
		if ctx.Err() != nil || l.trouble() != nil {
			break
		}
		s, failed := l.publisherOf(topic).send(topic, m)
		if failed != nil {
			out[i], err = unknown, failed
		}
		way = append(way, s)
	}
	for len(way) > 0 {
		wait()
	}
	return out, errors.Join(err, ctx.Err(), l.trouble())
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
