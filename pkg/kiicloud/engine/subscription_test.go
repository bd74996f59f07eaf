package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func TestUnsubscribeHaltsAndSubscribeGoesOn(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		client := c.subscribe(w, inst, qos1)
		c.push(inst, 0, 1)
		id := receive(t, client, inst, 0)

		client.Send(guardtest.Unsubscribe(w.version, 2, inst.Topic))
		client.Expect(mqtt.UNSUBACK)
		c.push(inst, 1, 3)
		client.Send(guardtest.Puback(id)) // still counts
		c.eventuallyPending(inst, 2)
		client.ExpectAlive()

		client.Send(guardtest.Subscribe(w.version, 3, nil, guardtest.Filter{Topic: inst.Topic, Options: 1}))
		client.Expect(mqtt.SUBACK)
		receive(t, client, inst, 1)
		receive(t, client, inst, 2)
	})
}

func TestUnsubackTellsWhetherThereWasASubscription(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		client := c.subscribe(w, inst, qos1)
		filters := [][]byte{guardtest.Text(inst.Topic), guardtest.Text(inst.Topic), guardtest.Text("another/#")}
		head := []byte{0, 9}
		if w.version == mqtt.V5 {
			head = append(head, 0) // no properties
		}
		client.Send(guardtest.Frame(0xA2, append([][]byte{head}, filters...)...))
		ack := client.Expect(mqtt.UNSUBACK)
		require.Equal(t, uint16(9), ack.PacketID())
		if w.version == mqtt.V5 {
			require.Equal(t, []byte{0x00, 0x11, 0x11}, ack.Codes(3))
		} else {
			require.Equal(t, []byte{0xB0, 2, 0, 9}, ack.Bytes)
		}
		c.push(inst, 0, 1)
		client.ExpectAlive()
	})
}

// waiting is a Queue whose reads wait until they may go on.
type waiting struct {
	*memory
	reading chan struct{} // has room for one element
	release chan struct{}
}

func (q waiting) Pending(ctx context.Context, id string, after int64, limit int) ([]store.Push, error) {
	select {
	case q.reading <- struct{}{}:
	default:
	}
	<-q.release
	return q.memory.Pending(ctx, id, after, limit)
}

// A second SUBSCRIBE replaces the first: what comes behind its SUBACK is sent as that one says
// [MQTT-3.8.4-3], [MQTT-3.8.4-8].
func TestNothingFollowsASubackAsTheFormerSubscriptionHadIt(t *testing.T) {
	q := waiting{newMemory(), make(chan struct{}, 1), make(chan struct{})}
	c := start(t, q, nil)
	inst := q.install(t, installationFor(1))
	c.push(inst, 0, 3)
	client := c.connect(tcp5, inst)
	client.Send(guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: qos1}))
	client.Expect(mqtt.SUBACK)
	<-q.reading
	client.Send(guardtest.Subscribe(mqtt.V5, 2, nil, guardtest.Filter{Topic: inst.Topic}))
	time.AfterFunc(100*time.Millisecond, func() { close(q.release) })
	_, before := client.Until(mqtt.SUBACK)
	for n := len(before); n < 3; n++ {
		require.Zero(t, client.Expect(mqtt.PUBLISH).Publish().QoS())
	}
	client.ExpectAlive()
}

func TestNoLocalKeepsOwnMessagesOut(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	client := c.subscribe(tcp5, inst, qos1|0x04)
	client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, inst.Topic, nil, "mine"))
	client.Expect(mqtt.PUBACK)
	c.push(inst, 0, 1)
	client.Send(guardtest.Puback(receive(t, client, inst, 0)))
	c.eventuallyPending(inst, 0)
}
