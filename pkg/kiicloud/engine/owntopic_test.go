package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

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
		before := time.Now().Add(-time.Millisecond) // the queue keeps milliseconds
		client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, inst.Topic, []byte{0x02, 0, 0, 0, 90}, "kept"))
		client.Expect(mqtt.PUBACK)
		list, err := q.Pending(context.Background(), inst.ID, 0, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.WithinRange(t, list[0].ExpiresAt, before.Add(90*time.Second), time.Now().Add(90*time.Second))
	})
}

// What the client publishes takes its place in the queue as any push does, and the oldest makes room.
func TestPublishToTheOwnTopicOfAFullQueue(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	client := c.connect(tcp5, inst)
	var all [][]byte
	for range store.QueueMax + 2 {
		all = append(all, guardtest.Publish(mqtt.V5, 0, 0, inst.Topic, nil, "x"))
	}
	client.Send(all...)
	client.ExpectAlive()
	require.EqualValues(t, 2, c.e.Stats().Dropped)
}

// Where the installation is gone, or the store fails, the message is not taken.
func TestPublishToTheOwnTopicThatCannotBeStored(t *testing.T) {
	q := newMemory()
	c := start(t, q, nil)
	inst := c.q.install(t, installationFor(1))
	client := c.connect(tcp5, inst)
	q.setFail(errors.New("the disk is full"))
	client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, inst.Topic, nil, "x"))
	require.Equal(t, mqtt.UnspecifiedError, client.Expect(mqtt.PUBACK).Code())
	q.setFail(nil)
	c.q.uninstall(t, inst) // by somebody whom this process does not hear of
	client.Send(guardtest.Publish(mqtt.V5, 0x02, 8, inst.Topic, nil, "x"))
	require.Equal(t, mqtt.NotAuthorized, client.Expect(mqtt.PUBACK).Code())
	client.Send(guardtest.Publish(mqtt.V5, 0, 0, inst.Topic, nil, "x"))
	require.Equal(t, mqtt.NotAuthorized, client.Expect(mqtt.DISCONNECT).Code(), "at QoS 0 there is no other way to say so")
	client.ExpectClosed()
}
