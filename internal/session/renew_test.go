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

// Nothing is lost: neither what was received and not acknowledged, nor what was sent.
func TestTheEndpointIsRenewedAheadOfItsEnd(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.KeepAlive = 0 })
	h.set(func() { h.endpoint.Expires = t0.Add(20 * time.Second) })
	b := h.online()
	sent, id := h.sends(b, 1, "sent")
	h.set(func() { h.endpoint.Expires, h.endpoint.Password = t0.Add(time.Hour), "fresh" })
	h.until(func() bool { return len(h.changes) > 0 })
	assert.Equal(t, 18*time.Second, h.elapsed())
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

	h.until(func() bool { return len(h.fetched()) > 2 }) // and so on
	assert.Equal(t, time.Hour-time.Minute, h.elapsed())
}

func TestARenewalThatFailsLeavesTheConnectionItsTime(t *testing.T) {
	for name, fail := range map[string]func(*harness){
		"no endpoint":     func(h *harness) { h.fetchErr = fault.New(fault.ServerError, "down") },
		"one that lapsed": func(h *harness) { h.endpoint.Expires = t0 },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			h.set(func() { h.endpoint.Expires = t0.Add(20 * time.Second) })
			b := h.online()
			h.set(func() { fail(h) })
			h.until(func() bool { return len(h.changes) > 0 })
			assert.Equal(t, 20*time.Second, h.elapsed())
			c := h.next(Waiting)
			assert.Equal(t, Change{State: Waiting, Reason: expiredText, ReasonCode: -1, RetryIn: c.RetryIn}, c, "nothing is wrong")
			assert.Equal(t, mqtt.Success, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
			b.gone()
			assert.Equal(t, []bool{false, true}, h.fetched())
			h.set(func() { h.endpoint.Expires, h.fetchErr = t0.Add(time.Hour), nil })
			h.until(func() bool { return len(h.changes) > 0 })
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
	h := newHarness(t, func(c *Config) {
		fetch := c.Endpoint
		c.Endpoint = func(ctx context.Context, refresh bool) (Endpoint, error) {
			if calls.Add(1) == 2 {
				<-ctx.Done()
				return Endpoint{}, ctx.Err()
			}
			return fetch(ctx, refresh)
		}
	})
	h.set(func() { h.endpoint.Expires = t0.Add(20 * time.Second) })
	h.online()
	h.until(func() bool { return len(h.changes) > 0 })
	assert.Equal(t, 20*time.Second, h.elapsed())
	h.next(Waiting)
	h.set(func() { h.endpoint.Expires = t0.Add(time.Hour) })
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
	h.accept()
}

func TestSleepingOverTheEndpointsEnd(t *testing.T) {
	h := newHarness(t, nil)
	h.set(func() { h.endpoint.Expires = t0.Add(time.Hour) })
	b := h.online()
	h.clock.fire(t, 2*time.Hour)
	h.next(Waiting)
	b.gone()
	assert.Equal(t, []bool{false}, h.fetched())
}

// 68 years, as many brokers say, are no less than for ever.
func TestAnEndpointThatHardlyExpires(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.KeepAlive = 0 })
	const years = math.MaxInt32 * time.Second
	h.set(func() { h.endpoint.Expires = t0.Add(years) })
	h.online()
	h.until(func() bool { _, due := h.clock.next(); return due.Sub(t0) > time.Hour })
	_, due := h.clock.next()
	assert.Equal(t, years-time.Minute, due.Sub(t0))
	assert.Equal(t, Online, h.s.State().State)
	assert.Equal(t, []bool{false}, h.fetched())
}
