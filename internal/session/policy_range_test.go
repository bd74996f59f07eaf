package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// expected is what the policy says about a range of codes.
type expected struct {
	first, last int
	act         action
	code        fault.Code
}

// rules holds the policy to a list of ranges that follow each other without a gap. Every
// cause has to have a message and a remedy, and has to say whether it is retried.
func rules(t *testing.T, first, last int, list []expected, cause func(int) cause) {
	t.Helper()
	next := first
	for _, want := range list {
		require.Equal(t, next, want.first, "no code is left out")
		next = want.last + 1
		for n := want.first; n <= want.last; n++ {
			c := cause(n)
			r := judge(c)
			assert.Equal(t, want.act, r.act, n)
			assert.Equal(t, want.code, r.code, n)
			err := r.fault(c)
			assert.NotEmpty(t, err.Message, n)
			assert.NotEmpty(t, err.Remedy, n)
			assert.Equal(t, want.act == actRetry || want.act == actRefresh, err.Retryable, n)
			if want.act == actStop {
				assert.True(t, r.end.final(), n)
			}
		}
	}
	require.Equal(t, last+1, next)
}

func TestPolicyOverAllCloseCodes(t *testing.T) {
	rules(t, 1000, 4999, []expected{
		{1000, 1001, actRetry, fault.Network},
		{1002, 1003, actRetry, fault.ProtocolError},
		{1004, 1006, actRetry, fault.Network},
		{1007, 1007, actRetry, fault.ProtocolError},
		{1008, 1008, actRetry, fault.Network},
		{1009, 1009, actRetry, fault.PacketTooLarge},
		{1010, 1010, actRetry, fault.ProtocolError},
		{1011, 1014, actRetry, fault.ServerError},
		{1015, 2999, actRetry, fault.Network},
		{3000, 3000, actRefresh, fault.Unauthorized},
		{3001, 3002, actRetry, fault.Network},
		{3003, 3003, actStop, fault.Forbidden},
		{3004, 3007, actRetry, fault.Network},
		{3008, 3008, actRetry, fault.Timeout},
		{3009, 4999, actRetry, fault.Network},
	}, func(n int) cause { return cause{kind: causeClosed, err: &transport.CloseError{Code: n}} })
	for n := 1000; n <= 1015; n++ {
		_, listed := closeRulings.find(n)
		assert.True(t, listed, n)
	}
	tryLater := cause{kind: causeClosed, err: &transport.CloseError{Code: 1013}}
	assert.Equal(t, busyFloor, judge(tryLater).wait(tryLater))
}

func TestPolicyOverAllStatusesOfTheHandshake(t *testing.T) {
	rules(t, 300, 599, []expected{
		{300, 399, actRetry, fault.Network},
		{400, 400, actRetry, fault.BadResponse},
		{401, 401, actStop, fault.Forbidden},
		{402, 402, actRetry, fault.Network},
		{403, 403, actStop, fault.Forbidden},
		{404, 404, actRefresh, fault.NotFound},
		{405, 407, actRetry, fault.Network},
		{408, 408, actRetry, fault.Timeout},
		{409, 425, actRetry, fault.Network},
		{426, 426, actRetry, fault.BadResponse},
		{427, 428, actRetry, fault.Network},
		{429, 429, actRetry, fault.RateLimited},
		{430, 499, actRetry, fault.Network},
		{500, 599, actRetry, fault.ServerError},
	}, func(n int) cause {
		e := fault.New(fault.Network, "refused")
		e.Status = n
		return cause{kind: causeDial, err: e}
	})
}

// CONNACK before MQTT 5, byte by byte through the codec.
func TestPolicyOverAllReturnCodes(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311} {
		codec, err := mqtt.NewCodec(v)
		require.NoError(t, err)
		t.Run(versionName(v), func(t *testing.T) {
			rules(t, 1, 255, []expected{
				{1, 1, actStop, fault.ProtocolVersion},
				{2, 2, actRefresh, fault.BadCredentials},
				{3, 3, actRetry, fault.ServerError},
				{4, 4, actRefresh, fault.BadCredentials},
				{5, 5, actRefresh, fault.Unauthorized},
				{6, 0x83, actRetry, fault.ProtocolError},
				{0x84, 0x84, actStop, fault.ProtocolVersion}, // MQTT 5's, from a broker that speaks nothing else
				{0x85, 255, actRetry, fault.ProtocolError},
			}, func(n int) cause {
				p, err := codec.Decode([]byte{0x20, 2, 0, byte(n)}, mqtt.FromServer)
				if broken, ok := err.(*mqtt.Error); ok {
					return cause{kind: causeViolation, reason: broken.Reason, err: err}
				}
				c := refusedConnect(v, p.(*mqtt.Connack))
				assert.Equal(t, n, judge(c).fault(c).ReasonCode)
				return c
			})
		})
	}
	assert.Equal(t, mqtt.V5, versions[0], "and MQTT 5 has no return codes")
}

// What is refused is asked for again with a fresh endpoint, on every version as often.
func TestRefusalsAreCountedOnEveryVersion(t *testing.T) {
	for name, c := range map[string]struct {
		cause cause
		tries int
	}{
		"0x86": {cause{kind: causeConnack, reason: mqtt.BadUserNameOrPassword}, maxRefused},
		"0x87": {cause{kind: causeConnack, reason: mqtt.NotAuthorized}, 2},
		"4":    {refusedConnect(mqtt.V311, &mqtt.Connack{ReasonCode: 4}), maxRefused},
		"5":    {refusedConnect(mqtt.V31, &mqtt.Connack{ReasonCode: 5}), 2},
	} {
		t.Run(name, func(t *testing.T) {
			m := at(phaseGreeting)
			for n := 1; ; n++ {
				m, _ = step(m, lost{m.gen, c.cause})
				if m.phase == phaseFailed {
					assert.Equal(t, c.tries, n)
					return
				}
				var effects []effect
				m, effects = step(m, retryDue{})
				require.Contains(t, effects, fetch{gen: m.gen, refresh: true}, strconv.Itoa(n))
				m.phase = phaseGreeting
			}
		})
	}
}

func TestEveryCourseHasAnEnd(t *testing.T) {
	for c := range courses {
		r := c.ruling(fault.Network)
		assert.Equal(t, r.act == actStop, r.end.final(), c)
		assert.LessOrEqual(t, r.floor, time.Minute, c)
	}
}
