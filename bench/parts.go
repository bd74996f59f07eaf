package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// parts are what a round is made of. The first ones share pages that are warm; the others
// are about what happens before that.
var parts = []struct {
	name string
	warm bool
	most int // rounds that it is part of, the first ones; 0 for all
	play func(*runner, context.Context, *company) error
}{
	{"receive-single", true, 0, (*runner).receiveSingle},
	{"queued", true, 0, (*runner).queued},
	{"mosquitto", true, usual, (*runner).fromMosquitto},
	{"receive", true, usual, (*runner).receive},
	{"topics", true, usual, (*runner).topics},
	{"cloud", true, usual, (*runner).fromCloud},
	{"watch", true, usual, (*runner).watch},
	{"publish", true, usual, (*runner).publish},
	{"roundtrip", true, usual, (*runner).roundTrip},
	{"growth", false, usual, (*runner).growth},
	{"large", false, usual, (*runner).large},
	{"flood", false, usual, (*runner).flood},
	{"start", false, usual, (*runner).start},
}

// usual is how many rounds there are of what differs little from round to round, or takes long.
const usual = 5

// received notes what a burst was like, as rates.
func (r *runner) received(cpu, main, wall report.Metric, kase string, a *suite.Act, got suite.Received) {
	r.rate(cpu, kase, a, got.Messages, got.CPU.Total())
	r.rate(main, kase, a, got.Messages, got.CPU.Main)
	r.rate(wall, kase, a, got.Messages, got.Wall)
}

func (r *runner) rate(m report.Metric, kase string, a *suite.Act, n int, took time.Duration) {
	r.results.Add(m, kase, a.Client.Name, float64(n)/took.Seconds())
}

func (r *runner) took(m report.Metric, kase, client string, d time.Duration) {
	r.results.Add(m, kase, client, d.Seconds()*1000)
}

// watch is how long the page's thread is not free while messages come.
func (r *runner) watch(ctx context.Context, c *company) error {
	for _, frames := range []replay.Coalescing{replay.OnePacket, replay.Large} {
		shape := replay.Shape{Payload: 64, Frames: frames}
		n := 3 * r.burst(shape) / 2
		err := c.each(ctx, everybody, caseOf(shape), func(a *suite.Act) error {
			got, err := a.Watch(ctx, shape, max(1, n/8), n)
			if err == nil {
				r.took(longestTask, caseOf(shape), a.Client.Name, got.LongestTask)
				r.took(longestGap, caseOf(shape), a.Client.Name, got.LongestGap)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// publish is how fast messages are sent.
func (r *runner) publish(ctx context.Context, c *company) error {
	for qos := range byte(2) {
		kase := fmt.Sprintf("64 B, QoS %d, 500 at a time", qos)
		n := r.scaled(2_000)
		err := c.each(ctx, readers, kase, func(a *suite.Act) error {
			sent, err := a.Publish(ctx, qos, max(1, n/4), n)
			if err == nil {
				r.rate(publishCPU, kase, a, n, sent.CPU.Total())
				r.rate(publishWall, kase, a, n, sent.Wall)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const roundTripCase = "64 B, QoS 0, 1 packet per frame, 100 messages a second"

// roundTrip is how long a message takes to the server and back when there is time enough.
func (r *runner) roundTrip(ctx context.Context, c *company) error {
	warm := r.scaled(30)
	return c.each(ctx, readers, roundTripCase, func(a *suite.Act) error {
		took, err := a.RoundTrips(ctx, warm+r.scaled(120), 100)
		if err != nil {
			return err
		}
		values := make([]float64, 0, len(took))
		for _, d := range took[warm:] {
			values = append(values, d.Seconds()*1000)
		}
		r.results.Add(roundTripP50, roundTripCase, a.Client.Name, report.Quantile(values, 0.5))
		r.results.Add(roundTripP99, roundTripCase, a.Client.Name, report.Quantile(values, 0.99))
		return nil
	})
}

// start is how a page comes to its first message.
func (r *runner) start(ctx context.Context, _ *company) error {
	for _, client := range r.clients {
		if !client.Reads {
			continue
		}
		cold, cached, err := r.stage.StartUp(ctx, client)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.failed("start", err)
			continue
		}
		r.started("cold", client.Name, cold)
		r.started("cached", client.Name, cached)
	}
	return nil
}

func (r *runner) started(kase, client string, s suite.Start) {
	r.took(startReady, kase, client, s.Ready)
	r.took(startMessage, kase, client, s.Message)
	r.took(startTask, kase, client, s.Longest)
	r.took(startGap, kase, client, s.Gap)
	r.results.Add(startBytes, kase, client, float64(s.Sent))
}

func topicCase(topics int) string {
	return fmt.Sprintf("topics in turn: %s, %s", report.Commas(topics), caseOf(replay.Shape{Frames: replay.Large}))
}

// topics is what more and more topics cost.
func (r *runner) topics(ctx context.Context, c *company) error {
	for _, topics := range []int{1, 10, 100, 1000} {
		shape := replay.Shape{Payload: 64, Frames: replay.Large, Topics: topics}
		kase := topicCase(topics)
		n := r.scaled(16_000)
		err := c.each(ctx, everybody, kase, func(a *suite.Act) error {
			got, err := a.Receive(ctx, shape, n/4, n)
			if err == nil {
				r.rate(topicsCPU, kase, a, got.Messages, got.CPU.Total())
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
