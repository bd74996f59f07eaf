package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// closedAfter is a close at a time, in seconds, of a connection that was so old.
func closedAfter(at, lived float64) cause {
	return cause{kind: causeClosed, err: &transport.CloseError{Code: 1006},
		at: time.Duration(at * float64(time.Second)), lived: time.Duration(lived * float64(time.Second))}
}

func TestContest(t *testing.T) {
	with := func(c cause, change func(*cause)) cause { change(&c); return c }
	for name, c := range map[string]struct {
		contest contest
		ends    []cause
		decided bool
	}{
		"three brief ones in a minute":       {contest{}, []cause{closedAfter(1, 1), closedAfter(30, 4.9), closedAfter(60.9, 0)}, true},
		"all at once":                        {contest{}, []cause{closedAfter(0, 0), closedAfter(0, 0), closedAfter(0, 0)}, true},
		"two":                                {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1)}, false},
		"three in more than a minute":        {contest{}, []cause{closedAfter(1, 1), closedAfter(30, 1), closedAfter(61, 1)}, false},
		"the last three of four":             {contest{}, []cause{closedAfter(1, 1), closedAfter(40, 1), closedAfter(70, 1), closedAfter(99, 1)}, true},
		"one that lived":                     {contest{}, []cause{closedAfter(1, 1), closedAfter(9, 5), closedAfter(20, 1)}, false},
		"one that lived between three brief": {contest{}, []cause{closedAfter(1, 1), closedAfter(9, 5), closedAfter(20, 1), closedAfter(30, 1)}, true},
		"switched off":                       {contest{off: true}, []cause{closedAfter(1, 1), closedAfter(2, 1), closedAfter(3, 1)}, false},
		"with a reason": {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1),
			with(closedAfter(3, 1), func(c *cause) { c.err = &transport.CloseError{Code: 1012} })}, false},
		"of another kind": {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1),
			with(closedAfter(3, 1), func(c *cause) { c.kind, c.text = causeTimeout, "PINGRESP" })}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for i, end := range c.ends {
				assert.Equal(t, c.decided && i == len(c.ends)-1, c.contest.decided(end, judge(end)), i)
			}
		})
	}
}

func TestContestInTheMachine(t *testing.T) {
	brief := lost{gen, closedAfter(3, 1)}
	for p := phaseFetching; p <= phaseOnline; p++ {
		t.Run(p.String(), func(t *testing.T) {
			m := at(p)
			m.version.closes = 0
			m.contest = contest{count: 2}
			m, effects := step(m, brief)
			if p <= phaseGreeting {
				assert.Equal(t, phaseWaiting.String(), m.phase.String(), "nobody was evicted who was not accepted")
				return
			}
			assert.Equal(t, phaseDisplaced.String(), m.phase.String())
			assert.Equal(t, "abandon settle announce", names(effects))
			m, _ = step(m, takenBack{})
			assert.Zero(t, m.contest.count)
		})
	}
}

// evicted plays a broker that accepts and then closes.
func (h *harness) evicted() {
	h.t.Helper()
	h.next(Connecting)
	b := h.welcome(&mqtt.Connack{})
	h.next(Online)
	b.close(&transport.CloseError{})
}

func TestDisplacedByABrokerThatDoesNotSaySo(t *testing.T) {
	for name, v := range map[string]mqtt.Version{"5": mqtt.V5, "3.1.1": mqtt.V311, "3.1": mqtt.V31} {
		t.Run(name, func(t *testing.T) { displacedWithoutAWord(t, v) })
	}
}

func displacedWithoutAWord(t *testing.T, v mqtt.Version) {
	h := newHarness(t, func(c *Config) { c.Version = v })
	for range 2 {
		h.evicted()
		h.next(Waiting)
		h.tick()
	}
	h.evicted()
	c := h.next(Displaced)
	assert.Equal(t, fault.Displaced, c.Code)
	assert.Contains(t, c.Reason, "three times")
	assert.Contains(t, c.Err.Remedy, "displacement")
	assert.Equal(t, -1, c.ReasonCode)
	h.settled()
	assert.Empty(t, h.dials)

	require.NoError(t, h.s.TakeBack())
	h.evicted()
	h.next(Waiting)
}

func TestTheWatchCanBeSwitchedOff(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version, c.NoContest = mqtt.V311, true })
	for range 6 {
		h.evicted()
		h.next(Waiting)
		h.tick()
	}
}

func TestLongConnectionsAreNoContest(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version, c.StableAfter = mqtt.V311, briefLife })
	for range 4 {
		h.next(Connecting)
		b := h.welcome(&mqtt.Connack{})
		h.next(Online)
		since := h.elapsed()
		h.until(func() bool { return h.elapsed()-since >= briefLife })
		b.close(&transport.CloseError{})
		h.next(Waiting)
		h.tick()
	}
}
