package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// TestMuchAtQoS0OverASlowNetwork: browsers and systems take megabytes ahead of what the network does, and a PINGREQ is behind
// them. That its answer takes so long does not mean that the connection is dead.
func TestMuchAtQoS0OverASlowNetwork(t *testing.T) { onEachHost(t, muchAtQoS0) }

func muchAtQoS0(t *testing.T, s *site) {
	const messages, size, pace, keepAlive = 5000, 1000, 400 << 10, 4
	b := s.stubBroker(pace)
	p := b.page(s, keepAlive)
	began := time.Now()
	p.Eval(`(async () => {
		const payload = new Uint8Array(1000);
		for (let n = 0; n < 50; n++) {
			await Promise.all(Array.from({ length: 100 }, () => connection.publish("up", payload, { qos: 0 })));
		}
	})(); 0`, nil)
	require.Eventually(t, func() bool { return b.count(mqtt.PUBLISH) == messages || p.states() != "" }, 3*patience, 50*time.Millisecond)
	t.Logf("%d messages of %d bytes in %v, with %d PINGREQ", b.count(mqtt.PUBLISH), size, time.Since(began), b.count(mqtt.PINGREQ))
	assert.Greater(t, time.Since(began), 2*keepAlive*time.Second, "it was slow enough")
	assert.Empty(t, p.states(), "the connection stands")
	assert.Equal(t, messages, b.count(mqtt.PUBLISH))
	assert.Equal(t, 1, b.count(mqtt.CONNECT))
}

// TestWhatIsTooLargeIsCounted: before MQTT 5 it is passed over, and the page can see how often that was.
func TestWhatIsTooLargeIsCounted(t *testing.T) { onEachHost(t, whatIsTooLarge) }

func whatIsTooLarge(t *testing.T, s *site) {
	large := func(id uint16) *mqtt.Publish {
		return &mqtt.Publish{Topic: "t", QoS: 1, PacketID: id, Payload: []byte(strings.Repeat("x", 1<<20+1<<16))}
	}
	b := s.stubBroker(0, large(1), large(2), &mqtt.Publish{Topic: "t", QoS: 1, PacketID: 3, Payload: []byte(`{"text":"small"}`)})
	p := b.page(s, far)
	p.awaitTexts("small")
	p.await(`connection.dropped === 2`)
	require.Eventually(t, func() bool { return b.count(mqtt.PUBACK) == 3 }, patience, 10*time.Millisecond)
	var codes []string
	p.Eval(`states.map((s) => s.code)`, &codes)
	for _, code := range codes { // those that came before there was a listener are not among them
		assert.Equal(t, "PACKET_TOO_LARGE", code)
	}
	assert.Equal(t, 1, b.count(mqtt.CONNECT))
}
