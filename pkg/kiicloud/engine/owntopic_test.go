package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
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
