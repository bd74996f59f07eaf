package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// refusal is a way in which brokers refuse the one whom the endpoint is for.
type refusal struct {
	version mqtt.Version
	packet  mqtt.Type // that refuses; behind CONNACK it has accepted
	reason  mqtt.ReasonCode
	code    fault.Code
}

var refusals = map[string]refusal{
	"CONNACK: bad credentials":      {mqtt.V5, mqtt.CONNACK, mqtt.BadUserNameOrPassword, fault.BadCredentials},
	"CONNACK: not authorised":       {mqtt.V5, mqtt.CONNACK, mqtt.NotAuthorized, fault.Unauthorized},
	"SUBACK: not authorised":        {mqtt.V5, mqtt.SUBACK, mqtt.NotAuthorized, fault.Unauthorized},
	"SUBACK: unspecified":           {mqtt.V5, mqtt.SUBACK, mqtt.UnspecifiedError, fault.ServerError},
	"SUBACK: of the implementation": {mqtt.V5, mqtt.SUBACK, mqtt.ImplementationSpecificError, fault.ServerError},
	"SUBACK of MQTT 3.1.1":          {mqtt.V311, mqtt.SUBACK, 0x80, fault.ServerError},
	"DISCONNECT for SUBACK":         {mqtt.V5, mqtt.DISCONNECT, mqtt.NotAuthorized, fault.Unauthorized},
	"SUBACK of MQTT 3.1":            {mqtt.V31, mqtt.SUBACK, 0x80, fault.ServerError},
}

// play is one attempt that is refused.
func (r refusal) play(h *harness) {
	h.t.Helper()
	r.answer(h.accept())
}

// answer refuses on a connection that is there.
func (r refusal) answer(b *pipe) {
	b.t.Helper()
	b.expect(mqtt.CONNECT)
	switch r.packet {
	case mqtt.SUBACK:
		b.send(&mqtt.Connack{})
		b.subscribe(r.reason)
	case mqtt.DISCONNECT:
		b.send(&mqtt.Connack{})
		b.expect(mqtt.SUBSCRIBE)
		b.send(&mqtt.Disconnect{ReasonCode: r.reason})
	default:
		b.send(&mqtt.Connack{ReasonCode: r.reason})
	}
	b.gone()
}

// connects awaits the next attempt.
func (h *harness) connects() {
	h.t.Helper()
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
}

// A broker that cannot ask who somebody is refuses good credentials, and one that has lost what it had, the
// subscription: what it has granted once is worth asking for again, as long as the endpoint's server goes on
// giving endpoints.
func TestRefusalsAfterTheFirstConnectionAreNotTheEnd(t *testing.T) {
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.StableAfter, c.Version = time.Hour, r.version })
			h.online().close(errReset)
			h.next(Waiting)
			longest := time.Duration(0)
			for range 4 * maxRefused {
				h.connects()
				r.play(h)
				c := h.next(Waiting)
				assert.Equal(t, r.code, c.Code)
				assert.Equal(t, int(r.reason), c.ReasonCode)
				assert.True(t, c.Err.Retryable)
				assert.GreaterOrEqual(t, c.RetryIn, longest, "the delays grow")
				longest = c.RetryIn
			}
			assert.Equal(t, time.Minute/2, longest, "up to the cap, of which the dice gave half")
			h.connects()
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

// What a broker has too much of may become less: a quota of subscriptions that is used up is no refusal of
// whom the endpoint is for, so the same endpoint is good, and nothing is the end.
func TestAQuotaOfSubscriptionsIsWaitedFor(t *testing.T) {
	for _, before := range []bool{false, true} {
		h := newHarness(t, func(c *Config) { c.StableAfter = time.Hour })
		if before {
			h.online().close(errReset)
			h.next(Waiting)
		}
		full := refusal{mqtt.V5, mqtt.SUBACK, mqtt.QuotaExceeded, fault.RateLimited}
		for range 2 * maxRefused {
			h.connects()
			full.play(h)
			c := h.next(Waiting)
			assert.Equal(t, full.code, c.Code)
			assert.Equal(t, int(full.reason), c.ReasonCode)
			assert.True(t, c.Err.Retryable)
			assert.GreaterOrEqual(t, c.RetryIn, busyFloor)
		}
		h.connects()
		h.welcome(&mqtt.Connack{})
		h.next(Online)
		assert.NotContains(t, h.fetched(), true)
	}
}

// The same of one that was never granted anything: what stays refused with a fresh endpoint, stays so.
func TestASubscriptionThatStaysRefusedIsTheEnd(t *testing.T) {
	for name, r := range refusals {
		if r.packet == mqtt.CONNACK {
			continue
		}
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = r.version })
			h.next(Connecting)
			for n := range maxRefused {
				if n > 0 {
					assert.Equal(t, r.code, h.next(Waiting).Code)
					h.connects()
				}
				r.play(h)
			}
			c := h.next(Failed)
			assert.Equal(t, r.code, c.Code)
			assert.Equal(t, int(r.reason), c.ReasonCode)
			assert.True(t, c.Err.Retryable, "the endpoint's server stands by it, so the broker may grant it later")
			assert.Contains(t, c.Err.Remedy, "installation")
			assert.Equal(t, []bool{false, true, true}, h.fetched())
		})
	}
}

// The endpoint's server knows what the broker does not say.
func TestARefusalEndsWithTheInstallation(t *testing.T) {
	for name, r := range refusals {
		for when, before := range map[string]bool{"at first": false, "after a connection": true} {
			t.Run(name+", "+when, func(t *testing.T) {
				h := newHarness(t, func(c *Config) { c.Version = r.version })
				if before {
					h.online().close(errReset)
					h.next(Waiting)
					h.connects()
				} else {
					h.next(Connecting)
				}
				b := h.accept() // that far with an endpoint
				h.set(func() { h.fetchErr = fault.New(fault.NotFound, "it is not there") })
				r.answer(b)
				h.next(Waiting)
				h.connects()
				assert.Equal(t, fault.Revoked, h.next(Closed).Code)
			})
		}
	}
}

// Where there is no fresh endpoint, the error tells why one was asked for.
func TestWithoutAFreshEndpointTheRefusalIsTheCause(t *testing.T) {
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = r.version })
			h.next(Connecting)
			hook := fault.New(fault.BadCredentials, "there is no other endpoint")
			b := h.accept() // that far with an endpoint
			h.set(func() { h.fetchErr = hook })
			r.answer(b)
			h.next(Waiting)
			h.connects()
			c := h.next(Failed)
			assert.Equal(t, fault.BadCredentials, c.Code)
			assert.ErrorIs(t, c.Err, &fault.Error{Code: r.code})
			assert.Contains(t, c.Err.Error(), "the broker refused")
			assert.Nil(t, hook.Cause, "that is the hook's")
		})
	}
}
