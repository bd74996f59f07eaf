package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func TestEachAttemptHasItsOwnGeneration(t *testing.T) {
	m, effects := step(machine{}, opened{})
	assert.Equal(t, uint32(1), m.gen)
	assert.Contains(t, effects, fetch{gen: 1})
	m, _ = step(m, lost{1, cause{kind: causeEndpoint}})
	m, effects = step(m, retryDue{})
	assert.Equal(t, uint32(2), m.gen)
	assert.Contains(t, effects, fetch{gen: 2})
}

func TestFailuresCountUntilTheStablePeriod(t *testing.T) {
	m := at(phaseOnline)
	m, effects := step(m, lostNetwork)
	assert.Contains(t, effects, wait{attempt: 2, err: waitError(effects)})
	assert.Equal(t, 3, m.failures)

	m.phase = phaseSubscribing
	m, _ = step(m, subscribed{gen})
	assert.Equal(t, 3, m.failures, "coming online does not reset the back-off")
	m, _ = step(m, stableDue{gen})
	assert.Zero(t, m.failures)
}

func waitError(effects []effect) *fault.Error {
	for _, e := range effects {
		if w, ok := e.(wait); ok {
			return w.err
		}
	}
	return nil
}

func TestARefusalAsksForAFreshEndpointABoundedNumberOfTimes(t *testing.T) {
	m := at(phaseGreeting)
	for n := 1; n < maxRefused; n++ {
		m, _ = step(m, lost{m.gen, lostRefused.cause})
		require.Equal(t, phaseWaiting, m.phase)
		var effects []effect
		m, effects = step(m, retryDue{})
		assert.Contains(t, effects, fetch{gen: m.gen, refresh: true})
		m.phase = phaseGreeting
	}
	m, effects := step(m, lost{m.gen, lostRefused.cause})
	assert.Equal(t, phaseFailed, m.phase)
	a := effects[len(effects)-2].(announce)
	assert.Equal(t, fault.BadCredentials, a.err.Code)
	assert.True(t, a.err.Retryable, "the endpoint's server stands by them, so the broker may accept them later")
}

// An installation that was removed elsewhere looks like this: the endpoint's server knows.
func TestWhoeverIsNotAuthorizedAsksForAFreshEndpointOnce(t *testing.T) {
	notAuthorized := cause{kind: causeConnack, reason: mqtt.NotAuthorized}
	for name, first := range map[string]cause{"twice": notAuthorized, "after other refusals": lostRefused.cause} {
		t.Run(name, func(t *testing.T) {
			m, _ := step(at(phaseGreeting), lost{gen, first})
			require.Equal(t, phaseWaiting, m.phase)
			m, effects := step(m, retryDue{})
			assert.Contains(t, effects, fetch{gen: m.gen, refresh: true})
			m.phase = phaseGreeting
			m, effects = step(m, lost{m.gen, notAuthorized})
			assert.Equal(t, phaseFailed, m.phase)
			a := effects[len(effects)-2].(announce)
			assert.Equal(t, fault.Unauthorized, a.err.Code)
			assert.False(t, a.err.Retryable, "the session itself has given up")
		})
	}
}

func TestASubscriptionForgetsRefusals(t *testing.T) {
	m := at(phaseGreeting)
	m.refused, m.refusal = maxRefused-1, fault.New(fault.BadCredentials, "no")
	m, _ = step(m, welcomed{gen: gen})
	assert.Equal(t, maxRefused-1, m.refused, "it may be refused next")
	m, _ = step(m, subscribed{gen})
	assert.Zero(t, m.refused)
	assert.Nil(t, m.refusal)
}

func TestTheWishForAFreshEndpointOutlivesAFailedFetch(t *testing.T) {
	m, _ := step(at(phaseOnline), lostExpired)
	m, _ = step(m, retryDue{})
	m, _ = step(m, lost{m.gen, cause{kind: causeEndpoint}})
	m, effects := step(m, retryDue{})
	assert.Contains(t, effects, fetch{gen: m.gen, refresh: true})
	m, _ = step(m, endpointReady{gen: m.gen})
	m, _ = step(m, lost{m.gen, cause{kind: causeDial}})
	m, effects = step(m, retryDue{})
	assert.Contains(t, effects, fetch{gen: m.gen, refresh: false})
}

func TestAFreshEndpointThatHasLapsedIsTriedAllTheSame(t *testing.T) {
	m, effects := step(at(phaseFetching), endpointReady{gen: gen, lapsed: true})
	assert.Equal(t, []effect{fetch{gen: gen, refresh: true}, limit{stageEndpoint}}, effects)
	m, effects = step(m, endpointReady{gen: gen, lapsed: true})
	assert.Equal(t, phaseDialing, m.phase)
	assert.Equal(t, []effect{dial{gen, mqtt.V5}, limit{stageDial}}, effects)
}

func TestWakingDoesNotShortenAWaitThatTheServerAskedFor(t *testing.T) {
	m, effects := step(at(phaseOnline), lostBusy)
	for _, e := range effects {
		if w, ok := e.(wait); ok {
			assert.Equal(t, busyFloor, w.floor)
		}
	}
	after, effects := step(m, woken{"online"})
	assert.Equal(t, m, after)
	assert.Empty(t, effects)
	m, _ = step(m, retryDue{})
	assert.False(t, m.held, "only that one wait is held")
}

func TestPausingDoesNotShortenThatWait(t *testing.T) {
	m, _ := step(at(phaseOnline), lostBusy)
	after, effects := step(m, paused{"pagehide"})
	assert.Equal(t, m, after)
	assert.Empty(t, effects)
}

func TestAnAttemptInANetworkThatMayBeGoneIsFollowedSoon(t *testing.T) {
	for p := phaseIdle; p < phases; p++ {
		m := at(p)
		m.held = false
		m, _ = step(m, woken{"online"})
		if p == phaseFetching || p == phaseDialing {
			assert.Zero(t, m.failures, p)
		} else {
			assert.Equal(t, 2, m.failures, p)
		}
	}
}

func TestANetworkThatGoesAwayBringsNothingAbout(t *testing.T) {
	for p := phaseIdle; p < phases; p++ {
		if p == phaseOnline {
			continue
		}
		m := at(p)
		m.held = false
		after, effects := step(m, woken{offline})
		assert.Equal(t, m, after, p)
		assert.Empty(t, effects, p)
	}
}

func TestTakeBackStartsAfresh(t *testing.T) {
	m := machine{phase: phaseDisplaced, gen: gen, failures: 9, refused: 2, refusal: fault.New(fault.BadCredentials, "no"), refresh: true, version: negotiation{spoken: mqtt.V311}}
	m, effects := step(m, takenBack{})
	assert.Equal(t, machine{phase: phaseFetching, gen: gen + 1, version: negotiation{spoken: mqtt.V311}}, m)
	assert.Contains(t, effects, fetch{gen: gen + 1})
}

func TestWhatTheServerIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		cause cause
		want  effect
	}{
		"malformed":               {cause{kind: causeViolation, reason: mqtt.MalformedPacket}, hangUp{mqtt.MalformedPacket}},
		"not the client's to say": {cause{kind: causeViolation, reason: mqtt.QoSNotSupported}, hangUp{mqtt.ProtocolError}},
		"another version":         {cause{kind: causeViolation, reason: mqtt.UnsupportedProtocolVersion}, abandon{}},
		"the endpoint's end":      {cause{kind: causeExpired}, hangUp{mqtt.Success}},
		"a black hole":            {cause{kind: causeTimeout, text: "PINGRESP"}, abandon{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, effects := step(at(phaseOnline), lost{gen, c.cause})
			assert.Equal(t, c.want, effects[0])
		})
	}
}

func TestPublicStates(t *testing.T) {
	want := map[phase]State{
		phaseIdle: Idle, phaseFetching: Connecting, phaseDialing: Connecting, phaseGreeting: Connecting,
		phaseSubscribing: Connecting, phaseOnline: Online, phaseWaiting: Waiting, phaseDisplaced: Displaced,
		phaseClosed: Closed, phaseFailed: Failed,
	}
	for p := phaseIdle; p < phases; p++ {
		assert.Equal(t, want[p], p.state(), p.String())
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{time.Second, time.Minute}
	for n := range 200 {
		bound := b.bound(n)
		assert.LessOrEqual(t, bound, time.Minute)
		if n > 0 {
			assert.GreaterOrEqual(t, bound, b.bound(n-1))
		}
		assert.Zero(t, b.delay(n, 0), "full jitter goes down to nothing")
		assert.Less(t, b.delay(n, 0.999999), bound)
		assert.Equal(t, bound/2, b.delay(n, 0.5))
	}
	assert.Equal(t, time.Second, b.bound(0))
	assert.Equal(t, 2*time.Second, b.bound(1))
	assert.Equal(t, 32*time.Second, b.bound(5))
	assert.Equal(t, time.Minute, b.bound(6))
}
