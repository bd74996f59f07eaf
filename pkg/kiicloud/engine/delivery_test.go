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

func TestPropertiesOfAPush(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	push := pushFor(inst, 0)
	push.ExpiresAt = time.Now().Add(time.Hour)
	require.NoError(t, c.e.Publish(context.Background(), []store.Installation{inst}, push))

	noProblems := func(h *guardtest.Hello) { h.Properties = []byte{0x17, 0} } // Request Problem Information 0
	client := c.connect(tcp5, inst, noProblems)
	client.Send(guardtest.Subscribe(mqtt.V5, 1, []byte{0x0B, 42}, guardtest.Filter{Topic: inst.Topic, Options: 1}))
	client.Expect(mqtt.SUBACK)
	props := client.Expect(mqtt.PUBLISH).Properties()
	require.Equal(t, []mqtt.UserProperty{{Key: "pushMessageID", Value: "id-0"}}, props.User)
	require.Equal(t, []uint32{42}, props.SubscriptionID)
	require.NotNil(t, props.MessageExpiry)
	require.InDelta(t, 3600, *props.MessageExpiry, 60)
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
