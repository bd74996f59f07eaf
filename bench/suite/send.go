package suite

import (
	"context"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
)

// RoundTrips has the client send count messages of 64 bytes at QoS 0, rate a second, each of which the
// server sends back, and gives the time that each took.
func (a *Act) RoundTrips(ctx context.Context, count, rate int) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	_, leave, err := a.online(ctx, 0)
	if err != nil {
		return nil, err
	}
	var took []float64
	err = a.call(ctx, "roundTrip", map[string]any{"topic": replay.Echo, "count": count, "rate": rate, "size": 64}, &took)
	if left := leave(ctx); err == nil {
		err = left
	}
	all := make([]time.Duration, len(took))
	for i, ms := range took {
		all[i] = milliseconds(ms)
	}
	return all, a.wrap(err)
}

// Sent is how a client got through publishing.
type Sent struct {
	CPU  browser.CPU
	Wall time.Duration // by the page's clock, until the last publish was settled
}

// portion is how many messages a page publishes before it waits until they are settled. It is
// below the length of every client's queue.
const portion = 500

// Publish has the client publish n messages of 64 bytes as fast as it can, and makes sure
// that exactly those arrive. Before that it publishes warm messages, which do not count.
func (a *Act) Publish(ctx context.Context, qos byte, warm, n int) (Sent, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	session, leave, err := a.online(ctx, 0)
	if err != nil {
		return Sent{}, err
	}
	s := sending{a, session, qos}
	_, err = s.run(ctx, warm, warm)
	var sent Sent
	if err == nil {
		sent, err = s.run(ctx, n, warm+n)
	}
	if left := leave(ctx); err == nil {
		err = left
	}
	return sent, a.wrap(err)
}

// sending is a client that is online and publishes.
type sending struct {
	act     *Act
	session *replay.Session
	qos     byte
}

// run publishes n messages, after which sum must have arrived in all.
func (s sending) run(ctx context.Context, n, sum int) (Sent, error) {
	before, err := s.act.tab.Usage()
	if err != nil {
		return Sent{}, err
	}
	var took float64
	arguments := map[string]any{"topic": "bench/published", "count": n, "portion": portion, "size": 64, "qos": s.qos}
	if err := s.act.call(ctx, "publish", arguments, &took); err != nil {
		return Sent{}, err
	}
	if err := s.session.Published(ctx, sum); err != nil {
		return Sent{}, err
	}
	after, err := s.act.tab.Usage()
	if err != nil {
		return Sent{}, err
	}
	return Sent{CPU: after.Since(before), Wall: milliseconds(took)}, nil
}

// WarmUp has the page do a little of everything that will be measured, so that what is
// measured has been compiled by then.
func (a *Act) WarmUp(ctx context.Context) error {
	var qos byte
	if a.Client.Reads {
		qos = 1
	}
	if _, err := a.Receive(ctx, replay.Shape{QoS: qos, Payload: 64, Frames: replay.Large}, 0, 50_000); err != nil {
		return err
	}
	if _, err := a.Receive(ctx, replay.Shape{QoS: qos, Payload: 64}, 0, 5_000); err != nil || !a.Client.Reads {
		return err
	}
	if _, err := a.Receive(ctx, replay.Shape{Payload: 64, Frames: replay.Small, Push: true}, 0, 16_000); err != nil {
		return err
	}
	_, err := a.Publish(ctx, 1, 0, 500)
	return err
}
