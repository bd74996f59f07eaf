package session

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func TestRenewal(t *testing.T) {
	for name, c := range map[string]struct{ left, ahead time.Duration }{
		"short":           {20 * time.Second, 2 * time.Second},
		"long":            {time.Hour, time.Minute},
		"nearly for ever": {math.MaxInt32 * time.Second, time.Minute},
		"over":            {-time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			expires := t0.Add(c.left)
			assert.Equal(t, expires.Add(-c.ahead), renewal(expires, t0))
		})
	}
	assert.Zero(t, renewal(time.Time{}, t0), "never")
}

// expiring20 lets an endpoint expire after 20 seconds.
func expiring20(e *Endpoint) { e.Expires = t0.Add(20 * time.Second) }

// tickTo fires timers up to the one at that time, which has to be there. Unlike until it
// leaves those alone that come after, whatever a hook in the background still does.
func (h *harness) tickTo(at time.Duration) {
	h.t.Helper()
	for h.elapsed() < at {
		h.tick()
	}
	require.Equal(h.t, at, h.elapsed())
}

// Nothing is lost: neither what was received and not acknowledged, nor what was sent.
func TestTheEndpointIsRenewedAheadOfItsEnd(t *testing.T) {
	h := newHarnessAt(t, expiring20, func(c *Config) { c.KeepAlive = 0 })
	b := h.online()
	sent, id := h.sends(b, 1, "sent")
	h.set(func() { h.endpoint.Expires, h.endpoint.Password = t0.Add(time.Hour), "fresh" })
	h.tickTo(18 * time.Second)
	c := h.next(Connecting)
	assert.Equal(t, Change{State: Connecting, Reason: "connecting with a new endpoint", ReasonCode: -1}, c, "at once, and nothing is wrong")
	assert.Equal(t, mqtt.Success, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
	b.gone()

	b = h.accept()
	assert.Equal(t, "fresh", string(b.expect(mqtt.CONNECT).(*mqtt.Connect).Password))
	b.send(&mqtt.Connack{SessionPresent: true}, repeat(push(7, "topic-1", "kept by the broker")))
	b.subscribe(mqtt.GrantedQoS1)
	h.next(Online)
	assert.Equal(t, 18*time.Second, h.elapsed())
	assert.Equal(t, []string{"kept by the broker"}, payloads(h.batch()))
	for sent := 0; sent < 2; {
		for _, p := range b.nextFrame() {
			switch p := p.(type) {
			case *mqtt.Publish:
				assert.Equal(t, &mqtt.Publish{Topic: "t", QoS: 1, Dup: true, PacketID: id, Payload: []byte("sent")}, p)
			case *mqtt.Ack:
				assert.Equal(t, uint16(7), p.PacketID)
			}
			sent++
		}
	}
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
	require.NoError(t, result(t, sent))
	assert.Equal(t, []bool{false, true}, h.fetched())

	h.tickTo(time.Hour - time.Minute) // and so on
	require.Eventually(t, func() bool { return len(h.fetched()) == 3 }, patience, time.Millisecond)
}

func TestARenewalThatFailsLeavesTheConnectionItsTime(t *testing.T) {
	for name, fail := range map[string]func(*harness){
		"no endpoint":     func(h *harness) { h.fetchErr = fault.New(fault.ServerError, "down") },
		"one that lapsed": func(h *harness) { h.endpoint.Expires = t0 },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarnessAt(t, expiring20, nil)
			b := h.online()
			h.set(func() { fail(h) })
			h.tickTo(18 * time.Second)
			require.Eventually(t, func() bool { return len(h.fetched()) == 2 }, patience, time.Millisecond)
			h.tickTo(20 * time.Second)
			c := h.next(Waiting)
			assert.Equal(t, Change{State: Waiting, Reason: expiredText, ReasonCode: -1, RetryIn: c.RetryIn}, c, "nothing is wrong")
			assert.Equal(t, mqtt.Success, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
			b.gone()
			assert.Equal(t, []bool{false, true}, h.fetched())
			h.set(func() { h.endpoint.Expires, h.fetchErr = t0.Add(time.Hour), nil })
			h.tick()
			h.next(Connecting)
			h.welcome(&mqtt.Connack{})
			h.next(Online)
			assert.Equal(t, []bool{false, true, true}, h.fetched())
		})
	}
}

// The hook hangs: the endpoint's end is the connection's, and a new attempt asks again.
func TestARenewalThatHangs(t *testing.T) {
	var calls atomic.Int32
	h := newHarnessAt(t, expiring20, func(c *Config) {
		fetch := c.Endpoint
		c.Endpoint = func(ctx context.Context, refresh bool) (Endpoint, error) {
			if calls.Add(1) == 2 {
				<-ctx.Done()
				return Endpoint{}, ctx.Err()
			}
			return fetch(ctx, refresh)
		}
	})
	h.online()
	h.tickTo(18 * time.Second)
	require.Eventually(t, func() bool { return calls.Load() == 2 }, patience, time.Millisecond)
	h.tickTo(20 * time.Second)
	h.next(Waiting)
	h.set(func() { h.endpoint.Expires = t0.Add(time.Hour) })
	h.tick()
	h.next(Connecting)
	h.accept()
}

func TestSleepingOverTheEndpointsEnd(t *testing.T) {
	h := newHarnessAt(t, func(e *Endpoint) { e.Expires = t0.Add(time.Hour) }, nil)
	b := h.online()
	h.clock.fire(t, 2*time.Hour)
	h.next(Waiting)
	b.gone()
	assert.Equal(t, []bool{false}, h.fetched())
}

// 68 years, as many brokers say, are no less than for ever.
func TestAnEndpointThatHardlyExpires(t *testing.T) {
	const years = math.MaxInt32 * time.Second
	h := newHarnessAt(t, func(e *Endpoint) { e.Expires = t0.Add(years) }, func(c *Config) { c.KeepAlive = 0 })
	h.online()
	h.until(func() bool { _, due := h.clock.next(); return due.Sub(t0) > time.Hour })
	_, due := h.clock.next()
	assert.Equal(t, years-time.Minute, due.Sub(t0))
	assert.Equal(t, Online, h.s.State().State)
	assert.Equal(t, []bool{false}, h.fetched())
}
