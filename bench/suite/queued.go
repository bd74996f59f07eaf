package suite

import (
	"context"
	"errors"

	"github.com/kiiweb/kiiweb/bench/cloud"
)

// Queues are pushes that wait in the cloud at QoS 0, the same ones for several users who are not online.
type Queues struct {
	cloud     *cloud.Cloud
	pushes    int // for each user
	endpoints []cloud.Endpoint
}

// FillQueues registers so many users and sends them so many pushes, at most 1,000, which is what the
// cloud keeps for each. The pushes are messages to a topic of that name that all of them have subscribed to: one
// request is one more in each queue.
func FillQueues(ctx context.Context, c *cloud.Cloud, topic string, users, pushes int) (*Queues, error) {
	q := &Queues{cloud: c, pushes: pushes}
	admin, err := c.Admin(ctx, cloudAdmin, cloudSecret)
	if err == nil {
		err = c.CreateTopic(ctx, admin, topic)
	}
	for range users {
		if err != nil {
			return nil, err
		}
		var user cloud.User
		var endpoint cloud.Endpoint
		if user, endpoint, err = account(ctx, c); err == nil {
			err = c.Subscribe(ctx, user, topic)
		}
		q.endpoints = append(q.endpoints, endpoint)
	}
	for i := 0; i < pushes && err == nil; i++ {
		err = c.SendToTopic(ctx, admin, topic, numbered(i))
	}
	return q, err
}

// ReceiveQueued has the client receive the next user's pushes in the frames that the cloud makes of them. They come
// when the client is subscribed and has nothing else to do; ready is called just before.
func (a *Act) ReceiveQueued(ctx context.Context, q *Queues, ready func(context.Context) error) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	got, err := a.receiveQueued(ctx, q, ready)
	return got, a.wrap(err)
}

func (a *Act) receiveQueued(ctx context.Context, q *Queues, ready func(context.Context) error) (Received, error) {
	if len(q.endpoints) == 0 {
		return Received{}, errors.New("all queues have been emptied")
	}
	endpoint := q.endpoints[0]
	q.endpoints = q.endpoints[1:]
	g, err := newGate(endpoint.PortWS, q.pushes)
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
	if err == nil {
		err = ready(ctx) // the cloud has removed what it has sent
	}
	if err != nil {
		return Received{}, err
	}
	e := expectation{Messages: q.pushes, Bytes: k.payload, Period: q.pushes + 1, TopicLength: len(o.Topic), JSON: true}
	got, err := a.measure(ctx, e, false, func() error { g.open(); return nil })
	got.Frames = k.frames
	return got, errors.Join(err, a.call(ctx, "close", nil, nil))
}
