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

const qos1 = 1

func TestPushesReachASubscriber(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		for i, w := range ways {
			t.Run(w.String(), func(t *testing.T) {
				inst := q.install(t, installationFor(i))
				client := c.subscribe(w, inst, qos1)
				for n := range 5 {
					c.push(inst, n, n+1)
					client.Send(guardtest.Puback(receive(t, client, inst, n)))
				}
				c.eventuallyPending(inst, 0)
				client.ExpectAlive()
			})
		}
	})
}

func TestPushesReachASubscriberOverTLS(t *testing.T) {
	c := start(t, newMemory(), nil)
	for i, w := range []way{{"tls", mqtt.V31}, {"tls", mqtt.V311}, {"tls", mqtt.V5}, {"wss", mqtt.V311}, {"wss", mqtt.V5}} {
		t.Run(w.String(), func(t *testing.T) {
			inst := c.q.install(t, installationFor(i))
			c.push(inst, 0, 100)
			client := c.subscribe(w, inst, qos1)
			for n := range 100 {
				client.Send(guardtest.Puback(receive(t, client, inst, n)))
			}
			c.eventuallyPending(inst, 0)
			newer := c.connect(w, inst)
			expectEnd(t, w, client, mqtt.SessionTakenOver)
			newer.Send(guardtest.Disconnect)
			newer.ExpectClosed()
		})
	}
}

func TestOfflineQueueComesInOrderAndWithoutDup(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		for i, w := range ways {
			t.Run(w.String(), func(t *testing.T) {
				inst := q.install(t, installationFor(i))
				c.push(inst, 0, 200)
				client := c.subscribe(w, inst, qos1, func(h *guardtest.Hello) { h.Session = true })
				for n := range 200 {
					client.Send(guardtest.Puback(receive(t, client, inst, n)))
				}
				c.eventuallyPending(inst, 0)
			})
		}
	})
}

func TestQueueSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	q := openSQLite(t, dir)
	inst := q.install(t, installationFor(1))
	c := start(t, q, nil)
	client := c.subscribe(tcp5, inst, qos1)
	c.push(inst, 0, 10)
	for n := range 10 {
		id := receive(t, client, inst, n)
		if n < 4 {
			client.Send(guardtest.Puback(id))
		}
	}
	client.ExpectAlive() // the acknowledgements were read
	c.close()
	require.NoError(t, q.Close())

	q = openSQLite(t, dir)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	c = start(t, q, nil)
	t.Cleanup(c.close)
	client = c.subscribe(ws5, inst, qos1)
	for n := 4; n < 10; n++ {
		client.Send(guardtest.Puback(receive(t, client, inst, n)))
	}
	c.eventuallyPending(inst, 0)
}

func TestLossBeforePubackRepeatsWithTheSameMessageID(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		c.push(inst, 0, 3)
		client := c.subscribe(w, inst, qos1)
		first := receive(t, client, inst, 0)
		second := receive(t, client, inst, 1)
		require.NotEqual(t, first, second)
		receive(t, client, inst, 2)
		client.Send(guardtest.Puback(second))
		c.eventuallyPending(inst, 2)
		client.HangUp()

		client = c.subscribe(w, inst, qos1)
		receive(t, client, inst, 0) // with the message id of the first time
		receive(t, client, inst, 2)
		client.ExpectAlive()
	})
}

func TestReceiveMaximumBoundsWhatIsInFlight(t *testing.T) {
	c := start(t, newMemory(), func(cfg *EmbeddedConfig) { cfg.Window = 8 })
	inst := c.q.install(t, installationFor(1))
	c.push(inst, 0, 20)

	receiveMaximum2 := func(h *guardtest.Hello) { h.Properties = []byte{0x21, 0, 2} }
	client := c.subscribe(tcp5, inst, qos1, receiveMaximum2)
	first := receive(t, client, inst, 0)
	receive(t, client, inst, 1)
	client.ExpectAlive() // and nothing else
	client.Send(guardtest.Puback(first))
	receive(t, client, inst, 2)
	client.ExpectAlive()
	client.HangUp()

	client = c.subscribe(tcp4, inst, qos1)
	for n := 1; n < 9; n++ {
		receive(t, client, inst, n)
	}
	client.ExpectAlive()
}

func TestQoS0SubscriberEmptiesTheQueueByReceiving(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		c.push(inst, 0, 100)
		client := c.subscribe(w, inst, 0)
		for n := range 100 {
			require.Zero(t, receive(t, client, inst, n))
		}
		c.eventuallyPending(inst, 0)
	})
}

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

func TestPublishToTheOwnTopicComesBack(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		client := c.subscribe(w, inst, qos1)

		client.Send(guardtest.Publish(w.version, 0x02, 7, inst.Topic, nil, "at least once"))
		kinds := map[mqtt.Type]guardtest.Packet{}
		for range 2 {
			p := client.Next()
			kinds[p.Type()] = p
		}
		require.Equal(t, uint16(7), kinds[mqtt.PUBACK].PacketID())
		require.Equal(t, mqtt.Success, kinds[mqtt.PUBACK].Code())
		require.Equal(t, "at least once", string(kinds[mqtt.PUBLISH].Publish().Payload))

		client.Send(guardtest.Publish(w.version, 0, 0, inst.Topic, nil, "at most once"))
		require.Equal(t, "at most once", string(client.Expect(mqtt.PUBLISH).Publish().Payload))
	})
}

func TestPublishedMessageIsInTheQueueBeforeItsPuback(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		inst := q.install(t, installationFor(1))
		client := c.connect(tcp5, inst)
		client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, inst.Topic, []byte{0x02, 0, 0, 0, 90}, "kept"))
		client.Expect(mqtt.PUBACK)
		list, err := q.Pending(context.Background(), inst.ID, 0, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.WithinDuration(t, time.Now().Add(90*time.Second), list[0].ExpiresAt, 5*time.Second)
	})
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

func TestPropertiesOfAPush(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	push := pushFor(inst, 0)
	push.ExpiresAt = time.Now().Add(30 * time.Second)
	require.NoError(t, c.e.Publish(context.Background(), []store.Installation{inst}, push))

	noProblems := func(h *guardtest.Hello) { h.Properties = []byte{0x17, 0} } // Request Problem Information 0
	client := c.connect(tcp5, inst, noProblems)
	client.Send(guardtest.Subscribe(mqtt.V5, 1, []byte{0x0B, 42}, guardtest.Filter{Topic: inst.Topic, Options: 1}))
	client.Expect(mqtt.SUBACK)
	props := client.Expect(mqtt.PUBLISH).Properties()
	require.Equal(t, []mqtt.UserProperty{{Key: "pushMessageID", Value: "id-0"}}, props.User)
	require.Equal(t, []uint32{42}, props.SubscriptionID)
	require.NotNil(t, props.MessageExpiry)
	require.InDelta(t, 30, *props.MessageExpiry, 2)
}

func TestPushThatTheClientCannotTakeIsDroppedAndCounted(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	big := pushFor(inst, 0)
	big.Payload = make([]byte, 300)
	require.NoError(t, c.e.Publish(context.Background(), []store.Installation{inst}, big))
	c.push(inst, 1, 2)

	small := func(h *guardtest.Hello) { h.Properties = []byte{0x27, 0, 0, 0, 200} } // Maximum Packet Size 200
	client := c.subscribe(tcp5, inst, qos1, small)
	client.Send(guardtest.Puback(receive(t, client, inst, 1)))
	c.eventuallyPending(inst, 0)
	require.Equal(t, int64(1), c.e.Stats().TooLarge)
	require.Contains(t, c.logs.String(), "push dropped")
}

func TestDeliveryGoesOnWhenTheStoreRecovers(t *testing.T) {
	q := newMemory()
	c := start(t, q, nil)
	inst := q.install(t, installationFor(1))
	q.setFail(errStore)
	client := c.subscribe(tcp5, inst, qos1)
	c.push(inst, 0, 1)
	client.ExpectAlive()
	q.setFail(nil)
	receive(t, client, inst, 0)
}

func TestAFullQueueDropsTheOldestAndCounts(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	c.push(inst, 0, store.QueueMax+5)
	require.Equal(t, int64(5), c.e.Stats().Dropped)
	client := c.subscribe(tcp5, inst, qos1)
	receive(t, client, inst, 5)
}

func TestManyPushesShareOneMessage(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	c.push(inst, 0, 64)
	client := c.subscribe(ws5, inst, qos1)
	var acks []byte
	for n := range 64 {
		acks = append(acks, guardtest.Puback(receive(t, client, inst, n))...)
	}
	require.Equal(t, []int{1, 1, 64}, client.Messages(), "CONNACK, SUBACK, all pushes")
	client.Send(acks)
	c.eventuallyPending(inst, 0)
	require.LessOrEqual(t, c.q.(*memory).acknowledgements(), 8, "acknowledgements are taken together")
}
