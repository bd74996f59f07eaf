package session

import (
	"testing"
	"time"
	"unsafe"

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
	slow := func(at, lived, took float64) cause {
		return with(closedAfter(at, lived), func(c *cause) { c.took = time.Duration(took * float64(time.Second)) })
	}
	for name, c := range map[string]struct {
		contest contest
		ends    []cause
		decided bool
	}{
		"three brief ones in a minute":        {contest{}, []cause{closedAfter(1, 1), closedAfter(30, 4.9), closedAfter(60.9, 0)}, true},
		"all at once":                         {contest{}, []cause{closedAfter(0, 0), closedAfter(0, 0), closedAfter(0, 0)}, true},
		"two":                                 {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1)}, false},
		"three in more than a minute":         {contest{}, []cause{closedAfter(1, 1), closedAfter(30, 1), closedAfter(61, 1)}, false},
		"the last three of four":              {contest{}, []cause{closedAfter(1, 1), closedAfter(40, 1), closedAfter(70, 1), closedAfter(99, 1)}, true},
		"the first lived":                     {contest{}, []cause{closedAfter(6, 5), closedAfter(9, 1), closedAfter(20, 1)}, false},
		"the second longer than the first":    {contest{}, []cause{closedAfter(5, 4.9), closedAfter(16, 9.9), closedAfter(32, 14.9)}, true},
		"the second lived":                    {contest{}, []cause{closedAfter(1, 1), closedAfter(12, 10), closedAfter(20, 1)}, false},
		"the third lived":                     {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1), closedAfter(18, 15)}, false},
		"one that lived between three brief":  {contest{}, []cause{closedAfter(1, 1), closedAfter(12, 10), closedAfter(20, 1), closedAfter(30, 1)}, true},
		"each as long as the way to it":       {contest{}, []cause{slow(20, 10, 10), slow(40, 10, 10), slow(60, 10, 10)}, true},
		"in more than a minute, the way long": {contest{}, []cause{slow(20, 10, 10), slow(60, 10, 10), slow(99.9, 10, 10)}, true},
		"in still more":                       {contest{}, []cause{slow(20, 10, 10), slow(60, 10, 10), slow(100, 10, 10)}, false},
		"the way very long":                   {contest{}, []cause{slow(60, 24.9, 100), slow(70, 1, 1), slow(80, 1, 1)}, true},
		"the way very long, and it lived":     {contest{}, []cause{slow(60, 25, 100), slow(70, 1, 1), slow(80, 1, 1)}, false},
		"six that lived for ten seconds":      {contest{}, []cause{closedAfter(10, 10), closedAfter(21, 10), closedAfter(32, 10), closedAfter(43, 10), closedAfter(54, 10), closedAfter(65, 10)}, true},
		"six that lived for twenty":           {contest{}, []cause{closedAfter(20, 19.9), closedAfter(41, 19.9), closedAfter(62, 20), closedAfter(83, 19.9), closedAfter(104, 19.9), closedAfter(125, 19.9)}, false},
		"six, of which one ended otherwise": {contest{}, []cause{closedAfter(10, 10), closedAfter(21, 10), closedAfter(32, 10),
			with(closedAfter(43, 10), func(c *cause) { c.kind, c.text = causeTimeout, "PINGRESP" }), closedAfter(54, 10), closedAfter(65, 10)}, false},
		"switched off": {contest{off: true}, []cause{closedAfter(1, 1), closedAfter(2, 1), closedAfter(3, 1)}, false},
		"with a reason": {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1),
			with(closedAfter(3, 1), func(c *cause) { c.err = &transport.CloseError{Code: 1012} })}, false},
		"of a network that takes nothing": {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1),
			with(closedAfter(13, 10), func(c *cause) { c.err = errStuck() })}, false},
		"of another kind": {contest{}, []cause{closedAfter(1, 1), closedAfter(2, 1),
			with(closedAfter(3, 1), func(c *cause) { c.kind, c.text = causeTimeout, "PINGRESP" })}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for i, end := range c.ends {
				assert.Equal(t, c.decided && i == len(c.ends)-1, c.contest.judge(phaseOnline, end, judge(end)) == suspicionProof, i)
			}
		})
	}
}

// A page that is shown now and then may see a network change soon after each time, and a broker that is overloaded ends connections, too.
func TestSlowTakeoversAreRunning(t *testing.T) {
	end := func(m machine, p phase, e func(machine) event) machine {
		m.phase = p
		m, _ = step(m, e(m))
		return m
	}
	evict := func(m machine, times int) machine {
		for range times {
			m = end(m, phaseOnline, func(m machine) event { return lost{m.gen, closedAfter(10, 10)} })
		}
		return m
	}
	lostBy := func(c cause) func(machine) event { return func(m machine) event { return lost{m.gen, c} } }
	for name, between := range map[string]struct {
		phase phase
		event func(machine) event
	}{
		"a pause":                {phaseOnline, func(machine) event { return paused{"pagehide"} }},
		"an endpoint is renewed": {phaseOnline, func(m machine) event { return endpointReady{gen: m.gen} }},
		"CONNACK refuses":        {phaseGreeting, lostBy(cause{kind: causeConnack, reason: mqtt.ServerUnavailable})},
		"no CONNACK":             {phaseGreeting, lostBy(cause{kind: causeTimeout, text: "CONNACK"})},
		"no WebSocket":           {phaseDialing, lostBy(cause{kind: causeDial})},
		"no endpoint":            {phaseFetching, lostBy(cause{kind: causeEndpoint})},
		"something was broken":   {phaseOnline, lostBy(lostViolation.cause)},
	} {
		t.Run(name, func(t *testing.T) {
			m := at(phaseOnline)
			m.version.forced = true
			m = evict(m, slowMost-1)
			m = end(m, between.phase, between.event)
			m = evict(m, slowMost-1)
			assert.Equal(t, phaseWaiting.String(), m.phase.String())
			m = evict(m, 1)
			assert.Equal(t, phaseDisplaced.String(), m.phase.String())
		})
	}
}

func TestWhoeverIsTurnedAwayInAContestHadALongerWay(t *testing.T) {
	var k contest
	closed := func(p phase, at, lived, took float64) suspicion {
		c := closedAfter(at, lived)
		c.took = time.Duration(took * float64(time.Second))
		return k.judge(p, c, judge(c))
	}
	assert.Equal(t, suspicionNone, closed(phaseGreeting, 1, 0, 1), "nothing has counted yet")
	assert.Equal(t, suspicionSome, closed(phaseOnline, 2, 1, 0))
	for range turnedMost {
		assert.Equal(t, suspicionSome, closed(phaseGreeting, 4, 0, 2))
	}
	assert.Equal(t, suspicionNone, closed(phaseGreeting, 5, 0, 9), "that is too often")
	assert.Equal(t, suspicionSome, closed(phaseOnline, 22, 15.9, 0), "10 s, and the 6 s that those took")
	assert.Equal(t, suspicionSome, closed(phaseGreeting, 24, 0, 2), "counted anew")
	assert.Equal(t, suspicionNone, closed(phaseOnline, 42, 17, 0))
	assert.Equal(t, suspicionSome, closed(phaseGreeting, 81, 0, 1))
	assert.Equal(t, suspicionNone, closed(phaseGreeting, 82, 0, 1), "it is a minute ago")
}

func TestABrokerThatIsNotThereIsNoContest(t *testing.T) {
	m := at(phaseOnline)
	m.failures = 0
	for n := range 3 {
		for range 2 {
			m.phase = phaseOnline
			m, _ = step(m, lost{gen, closedAfter(1, 1)})
		}
		assert.Equal(t, phaseWaiting.String(), m.phase.String())
		assert.Equal(t, 3*n, m.failures)
		m.phase = phaseDialing
		var effects []effect
		m, effects = step(m, lost{gen, cause{kind: causeDial, at: 3 * time.Second}})
		assert.Equal(t, 3*n+2, effects[len(effects)-1].(wait).attempt, "the two were failures, too")
		assert.Zero(t, m.contest.count)
	}
}

// What the other client may have done is answered soon, whatever the back-off: it would not be
// told from the network else.
func TestAContestDoesNotRaiseTheBackoff(t *testing.T) {
	closed := closedAfter(3, 1)
	end := func(m machine, p phase, c cause) (machine, wait) {
		m.phase = p
		m, effects := step(m, lost{m.gen, c})
		require.Equal(t, phaseWaiting.String(), m.phase.String())
		return m, effects[len(effects)-1].(wait)
	}
	m := at(phaseOnline)
	m.version.forced = true
	m.failures = 6
	for count := range 2 {
		var w wait
		m, w = end(m, phaseOnline, closed)
		assert.Equal(t, count, w.attempt)
		for range turnedMost {
			m, w = end(m, phaseGreeting, closed)
			assert.Equal(t, count, w.attempt, "turned away")
		}
		assert.Equal(t, 6, m.failures)
	}
	m, w := end(m, phaseGreeting, closed)
	assert.Equal(t, 6, w.attempt)
	assert.Equal(t, 7, m.failures)

	m.contest = contest{off: true}
	_, w = end(m, phaseOnline, closed)
	assert.Equal(t, 7, w.attempt, "nobody watches")
}

func TestContestInTheMachine(t *testing.T) {
	brief := lost{gen, closedAfter(3, 1)}
	for p := phaseFetching; p <= phaseOnline; p++ {
		t.Run(p.String(), func(t *testing.T) {
			m := at(p)
			m.version.closes = 0
			m.contest = contest{count: 2, last: [2]time.Duration{time.Second, 2 * time.Second}}
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
	assert.Contains(t, c.Reason, "time and again")
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

// slept is what a clock says after a sleep of the machine's in which the monotonic one stood still. It writes
// into the monotonic reading, which package time hides.
func slept(t time.Time, d time.Duration) time.Time {
	t = t.Add(d)
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&t)).ext -= int64(d)
	return t
}

// A machine that sleeps most of the time loses a connection each time, and another client has no part in it.
func TestWhatEndsWhileTheMachineSleepsIsNoContest(t *testing.T) {
	h := newHarness(t, func(c *Config) {
		c.Version = mqtt.V311
		c.Clock.(*fakeClock).now = time.Now()
	})
	began := h.clock.Now()
	for range 4 {
		h.next(Connecting)
		b := h.welcome(&mqtt.Connack{})
		h.next(Online)
		h.settled()
		h.clock.mu.Lock()
		h.clock.now = slept(h.clock.now, time.Hour)
		h.clock.mu.Unlock()
		b.close(&transport.CloseError{})
		h.next(Waiting)
		h.tick()
	}
	assert.Less(t, h.clock.Now().Sub(began), time.Hour, "the monotonic clock stood still")
}
