package suite

import (
	"context"
	"errors"

	"github.com/kiiweb/kiiweb/bench/cloud"
)

// ReceiveQueued has the client receive n pushes at QoS 0 that were waiting for it in the cloud, in the
// frames that the cloud makes of them. They come when the client is subscribed and has nothing
// else to do. At most 1,000, which is what the cloud keeps.
func (a *Act) ReceiveQueued(ctx context.Context, c *cloud.Cloud, n int) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	got, err := a.receiveQueued(ctx, c, n)
	return got, a.wrap(err)
}

func (a *Act) receiveQueued(ctx context.Context, c *cloud.Cloud, n int) (Received, error) {
	user, endpoint, err := account(ctx, c)
	if err != nil {
		return Received{}, err
	}
	for i := range n {
		if err := c.Push(ctx, user, numbered(i)); err != nil {
			return Received{}, err
		}
	}
	g, err := newGate(endpoint.PortWS, n)
	if err != nil {
		return Received{}, err
	}
	defer g.close()
	o := a.stage.options(a.Client, 0)
	o.address = loopback(g.port(), "/mqtt")
	o.Username, o.Password = endpoint.Username, endpoint.Password
	o.ID, o.Topic = endpoint.MQTTTopic, endpoint.MQTTTopic
	if err := a.call(ctx, "open", o, nil); err != nil {
		return Received{}, err
	}
	k, err := g.wait(ctx)
	if err != nil {
		return Received{}, err
	}
	e := expectation{Messages: n, Bytes: k.payload, Period: n + 1, TopicLength: len(o.Topic), JSON: true}
	got, err := a.measure(ctx, e, false, func() error { g.open(); return nil })
	got.Frames = k.frames
	return got, errors.Join(err, a.call(ctx, "close", nil, nil))
}
