package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// pinged fires timers until PINGREQ comes and tells when it came.
func (h *harness) pinged(b *pipe) time.Duration {
	h.t.Helper()
	h.until(func() bool { return len(b.frames) > 0 })
	b.expect(mqtt.PINGREQ)
	return h.elapsed()
}

func TestKeepAlive(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	assert.Equal(t, 30*time.Second, h.pinged(b))
	b.send(&mqtt.Pingresp{})
	assert.Equal(t, 60*time.Second, h.pinged(b))

	h.until(func() bool { return len(h.changes) > 0 })
	assert.Equal(t, 70*time.Second, h.elapsed(), "PINGRESP is overdue after ten seconds")
	c := h.next(Waiting)
	assert.Equal(t, fault.Timeout, c.Code)
	assert.Contains(t, c.Reason, "PINGRESP")
	b.gone()
	b.silent()
}

func TestKeepAliveWhileOnlyOneSideSends(t *testing.T) {
	for name, send := range map[string]func(*harness, *pipe){
		"the server": func(_ *harness, b *pipe) { b.send(push(0, "t", "x")) },
		"the client": func(h *harness, _ *pipe) { assert.NoError(h.t, h.s.Publish(bg, Message{Topic: "t"})) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.StableAfter = 20 * time.Second })
			b := h.online()
			h.until(func() bool { return h.elapsed() == 20*time.Second })
			send(h, b)
			h.settled()
			for len(b.frames) > 0 {
				b.expect(mqtt.PUBLISH)
			}
			assert.Equal(t, 30*time.Second, h.pinged(b))
		})
	}
}

func TestServerKeepAlive(t *testing.T) {
	h := newHarness(t, nil)
	ten := uint16(10)
	b := h.welcome(&mqtt.Connack{Properties: mqtt.Properties{ServerKeepAlive: &ten}})
	assert.Equal(t, 5*time.Second, h.pinged(b))
}

func TestKeepAliveOff(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.KeepAlive = 0 })
	b := h.online()
	h.until(func() bool { first, _ := h.clock.next(); return first == nil })
	b.silent()
}

func TestWakeOnline(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	h.s.Wake("visible")
	b.expect(mqtt.PINGREQ)
	h.s.Wake("online")
	b.send(&mqtt.Pingresp{})
	h.settled()
	b.silent()
	assert.Equal(t, Online, h.s.State().State)

	h.s.Wake("resume")
	b.expect(mqtt.PINGREQ)
	h.until(func() bool { return len(h.changes) > 0 })
	assert.Equal(t, wakeWait, h.elapsed(), "a short deadline")
	h.next(Waiting)
}

func TestWakeWhileWaiting(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.close(errReset)
	h.next(Waiting)
	h.s.Wake("online")
	assert.Contains(t, h.next(Connecting).Reason, "online")
	h.welcome(&mqtt.Connack{})
	h.next(Online)
	assert.Zero(t, h.elapsed())
}

func TestSleepIsNoticed(t *testing.T) {
	t.Run("and the connection lives", func(t *testing.T) {
		h := newHarness(t, nil)
		b := h.online()
		h.clock.fire(t, time.Hour)
		b.expect(mqtt.PINGREQ)
		b.send(&mqtt.Pingresp{})
		h.settled()
		assert.Equal(t, Online, h.s.State().State)
	})
	t.Run("and the connection is dead", func(t *testing.T) {
		h := newHarness(t, nil)
		b := h.online()
		h.pinged(b)
		h.clock.fire(t, time.Hour) // the deadline for PINGRESP: it may have come during sleep
		h.sync()
		assert.Equal(t, Online, h.s.State().State)
		since := h.elapsed()
		h.until(func() bool { return len(h.changes) > 0 })
		assert.Equal(t, wakeWait, h.elapsed()-since)
		h.next(Waiting)
	})
	t.Run("while waiting", func(t *testing.T) {
		h := newHarness(t, nil)
		b := h.online()
		b.close(errReset)
		h.next(Waiting)
		h.sync()
		h.clock.fire(t, time.Hour)
		h.next(Connecting)
	})
}

func TestTheBrokerSaysThatTheEndpointHasExpired(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.MaximumConnectTime})
	c := h.next(Waiting)
	assert.Equal(t, Change{State: Waiting, Reason: expiredText, ReasonCode: 0xA0, RetryIn: c.RetryIn}, c, "nothing is wrong")
	b.gone()
	h.tick()
	h.next(Connecting)
	h.welcome(&mqtt.Connack{})
	h.next(Online)
	assert.Equal(t, []bool{false, true}, h.fetched())
}

func TestAnExpiredEndpointIsFetchedAfreshBeforeDialing(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	h.set(func() { h.endpoint.Expires = t0.Add(-time.Second) })
	b.close(errReset)
	h.next(Waiting)
	h.tick()
	h.welcome(&mqtt.Connack{})
	assert.Equal(t, []bool{false, false, true}, h.fetched())
}
