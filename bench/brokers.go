package main

import (
	"context"
	"fmt"

	"github.com/kiiweb/kiiweb/bench/suite"
)

// fromMosquitto is the sanity row: the same with a broker that was not written for it.
func (r *runner) fromMosquitto(ctx context.Context, c *company) error {
	if r.mosquitto == nil {
		return nil
	}
	n := r.scaled(3_000)
	const kase = "64 B, QoS 0, frames as mosquitto makes them"
	return c.turns(ctx, unlessUniform, kase, 2, func(a *suite.Act) error {
		got, err := a.ReceiveFrom(ctx, r.mosquitto, 64, n)
		if err != nil {
			return err
		}
		r.rate(mosquittoCPU, kase, a, got.Messages, got.CPU.Total())
		if got.Frames > 0 {
			r.results.Add(mosquittoFrames, kase, a.Client.Name, float64(got.Messages)/float64(got.Frames))
		}
		return nil
	})
}

// queuedCase is what comes from the cloud's queue, in one go.
const queuedCase = "pushes that were queued, QoS 0, frames as the cloud makes them"

// queues are how many a client empties in a round, after one that warms it up: the properties of a push are in
// nothing else that it has received.
const queues = 4

// queued is the cloud's own way of sending many messages at once: to a client that comes back.
func (r *runner) queued(ctx context.Context, c *company) error {
	r.fills++
	users := len(c.who(unlessUniform)) * (1 + queues)
	waiting, err := suite.FillQueues(ctx, r.cloud, fmt.Sprintf("queue%d", r.fills), users, min(r.scaled(1_000), 1_000))
	if err != nil {
		return r.cloud.Explain(err)
	}
	err = c.each(ctx, unlessUniform, "warming up for "+queuedCase, func(a *suite.Act) error {
		_, err := a.ReceiveQueued(ctx, waiting, r.quiet)
		return err
	})
	if err != nil {
		return err
	}
	return c.turns(ctx, unlessUniform, queuedCase, queues, func(a *suite.Act) error {
		got, err := a.ReceiveQueued(ctx, waiting, r.quiet)
		if err == nil {
			r.rate(queuedCPU, queuedCase, a, got.Messages, got.CPU.Total())
			r.rate(queuedWall, queuedCase, a, got.Messages, got.Wall)
			r.results.Add(queuedFrames, queuedCase, a.Client.Name, float64(got.Messages)/float64(got.Frames))
		}
		return err
	})
}

// fromCloud is the other sanity row: pushes as Kii's REST API takes them, one by one.
func (r *runner) fromCloud(ctx context.Context, c *company) error {
	n := r.scaled(100)
	kase := "pushes sent one after the other, QoS 1, 1 packet per frame"
	return c.each(ctx, readers, kase, func(a *suite.Act) error {
		got, err := a.ReceivePushes(ctx, r.cloud, n)
		if err == nil {
			r.results.Add(cloudCPU, kase, a.Client.Name, got.CPU.Total().Seconds()*1e6/float64(got.Messages))
		}
		return err
	})
}
