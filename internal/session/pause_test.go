package session

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

func TestPause(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	h.s.Pause("pagehide")
	assert.Equal(t, mqtt.Success, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
	b.gone()
	c := h.next(Waiting)
	assert.Equal(t, "paused: pagehide", c.Reason)
	assert.Empty(t, c.Code, "nothing is wrong")
	assert.Negative(t, c.RetryIn)

	published := make(chan error, 1)
	go func() { published <- h.s.Publish(bg, Message{Topic: "t", QoS: 1, Payload: []byte("kept")}) }()
	require.Eventually(t, func() bool {
		waiting := make(chan bool, 1)
		h.s.post(func(l *loop) { waiting <- len(l.out.queue) == 1 })
		return <-waiting
	}, patience, time.Millisecond)
	h.s.Pause("freeze")
	h.s.Wake("pageshow")
	assert.Equal(t, "connecting again: pageshow", h.next(Connecting).Reason)
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	assert.Equal(t, "kept", string(p.Payload))
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	require.NoError(t, <-published)
	assert.Zero(t, h.elapsed(), "there was no wait")
}

func TestPauseWhileConnecting(t *testing.T) {
	h := newHarness(t, nil)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	h.next(Connecting)
	h.s.Pause("pagehide")
	b.gone()
	h.next(Waiting)
	h.s.Wake("pageshow")
	h.next(Connecting)
	h.welcome(&mqtt.Connack{})
	h.next(Online)
}

// What a dead network costs after a wake-up: the deadline of the attempt that was under
// way, and no long back-off behind it.
func TestWakeWhileDialing(t *testing.T) {
	fail := make(chan error)
	h := newHarness(t, func(c *Config) {
		c.Rand = func() float64 { return 0.999 }
		c.Dial = func(ctx context.Context, _ string, _ transport.Options) (transport.Conn, error) {
			select {
			case err := <-fail:
				return nil, err
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	})
	var last Change
	for range 7 {
		h.next(Connecting)
		fail <- errReset
		last = h.next(Waiting)
		h.until(func() bool { return len(h.changes) > 0 })
	}
	assert.Greater(t, last.RetryIn, 30*time.Second, "the back-off has grown")
	h.next(Connecting)
	h.s.Wake("online")
	fail <- errReset
	assert.Less(t, h.next(Waiting).RetryIn, time.Second)
}
