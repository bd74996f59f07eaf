package suite

import (
	"context"
	"errors"

	"github.com/kiiweb/kiiweb/bench/cloud"
)

// cloudAdmin is the administrator of a cloud of this run's.
const cloudAdmin, cloudSecret = "bench", "a secret of this run"

// StartCloud builds and runs the project's own push cloud.
func StartCloud(ctx context.Context, root string) (*cloud.Cloud, error) {
	c, err := cloud.Build(ctx, root, "-admin", cloudAdmin+":"+cloudSecret)
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// account registers a user for push.
func account(ctx context.Context, c *cloud.Cloud) (u cloud.User, e cloud.Endpoint, err error) {
	if u, err = c.Register(ctx); err == nil {
		err = c.Install(ctx, &u)
	}
	if err == nil {
		e, err = c.Endpoint(ctx, u)
	}
	return u, e, err
}

// numbered is what push n says.
func numbered(n int) map[string]any { return map[string]any{"n": n, "text": "hello"} }

// ReceivePushes has the client receive n pushes from the cloud at QoS 1, sent one after the
// other through its REST API.
func (a *Act) ReceivePushes(ctx context.Context, c *cloud.Cloud, n int) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	user, endpoint, err := account(ctx, c)
	if err != nil {
		return Received{}, err
	}
	o := a.stage.options(a.Client, 1)
	o.address = loopback(endpoint.PortWS, "/mqtt")
	o.Username, o.Password = endpoint.Username, endpoint.Password
	o.ID, o.Topic = endpoint.MQTTTopic, endpoint.MQTTTopic
	if err := a.call(ctx, "open", o, nil); err != nil {
		return Received{}, a.wrap(err)
	}
	e := expectation{Messages: n, Period: n + 1, TopicLength: len(o.Topic), JSON: true}
	got, err := a.measure(ctx, e, false, func() error {
		for i := range n {
			if err := c.Push(ctx, user, numbered(i)); err != nil {
				return err
			}
		}
		return nil
	})
	return got, a.wrap(errors.Join(err, a.call(ctx, "close", nil, nil)))
}
