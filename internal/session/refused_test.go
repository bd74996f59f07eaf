package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// A broker that cannot ask who somebody is refuses good credentials: what it has accepted once
// is worth asking again, as long as the endpoint's server goes on giving endpoints.
func TestRefusalsAfterTheFirstConnectionAreNotTheEnd(t *testing.T) {
	for name, code := range map[string]mqtt.ReasonCode{"bad credentials": mqtt.BadUserNameOrPassword, "not authorised": mqtt.NotAuthorized} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.StableAfter = time.Hour })
			h.online().close(errReset)
			h.next(Waiting)
			longest := time.Duration(0)
			for range 4 * maxRefused {
				h.until(func() bool { return len(h.changes) > 0 })
				h.next(Connecting)
				b := h.accept()
				b.expect(mqtt.CONNECT)
				b.send(&mqtt.Connack{ReasonCode: code})
				c := h.next(Waiting)
				assert.Equal(t, int(code), c.ReasonCode)
				assert.True(t, c.Err.Retryable)
				assert.GreaterOrEqual(t, c.RetryIn, longest, "the delays grow")
				longest = c.RetryIn
			}
			assert.Equal(t, time.Minute/2, longest, "up to the cap, of which the dice gave half")
			h.until(func() bool { return len(h.changes) > 0 })
			h.next(Connecting)
			h.welcome(&mqtt.Connack{})
			h.next(Online)
			fetched := h.fetched()
			require.Len(t, fetched, 4*maxRefused+2)
			for n, refresh := range fetched {
				assert.Equal(t, n > 1, refresh, "each attempt after a refusal has a fresh endpoint")
			}
		})
	}
}

// The endpoint's server knows what the broker does not say.
func TestARefusalAfterTheFirstConnectionEndsWithTheInstallation(t *testing.T) {
	h := newHarness(t, nil)
	h.online().close(errReset)
	h.next(Waiting)
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	h.set(func() { h.fetchErr = fault.New(fault.NotFound, "it is not there") })
	b.send(&mqtt.Connack{ReasonCode: mqtt.BadUserNameOrPassword})
	h.next(Waiting)
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
	assert.Equal(t, fault.Revoked, h.next(Closed).Code)
}
