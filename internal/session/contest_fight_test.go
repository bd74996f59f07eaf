package session

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// weather is what two clients with one identifier meet with at a broker that tells none of them.
type weather struct {
	network [2]time.Duration // each client's way to the broker, which a connection takes four times
	accept  time.Duration    // how long the broker takes to accept a CONNECT
	uneven  float64          // by how much all of these vary, from 0 to 1
	// After a takeover the broker holds every CONNECT that comes within jail for hold, and then
	// closes without a word, as nats-server does (one second each).
	jail, hold time.Duration
	failures   int // with how many the two begin
}

// TestTwoWithTheSameRulesComeToADecision plays machines against each other, over minutes that take
// no time: one always gives way, the other stays, and the broker has accepted few connections.
func TestTwoWithTheSameRulesComeToADecision(t *testing.T) {
	s := func(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
	ms := time.Millisecond
	for _, c := range []struct {
		name string
		w    weather
		most int // CONNECTs that may be accepted, of both together
	}{
		{"fast", weather{}, 6},
		{"with a broker that takes its time", weather{accept: s(1)}, 6},
		{"with a broker that takes long", weather{accept: s(4)}, 6},
		{"far away", weather{network: [2]time.Duration{s(.8), s(.8)}}, 6},
		{"far away, in uneven networks", weather{network: [2]time.Duration{s(.4), s(.4)}, accept: s(.5), uneven: .5}, 6},
		{"nats-server", weather{accept: 10 * ms, jail: s(1), hold: s(1)}, 6},
		{"nats-server on a slow machine", weather{network: [2]time.Duration{s(.1), s(.1)}, accept: s(.5), uneven: .5, jail: s(1), hold: s(1)}, 6},
		{"nats-server on a very slow machine", weather{network: [2]time.Duration{s(.25), s(.25)}, accept: s(2), uneven: .25, jail: s(1), hold: s(1)}, 6},
		{"nats-server, both after an outage", weather{accept: 10 * ms, jail: s(1), hold: s(1), failures: 9}, 6},
		{"a broker that holds for long", weather{accept: 10 * ms, jail: s(3), hold: s(3)}, 6},
		{"a broker that holds for very long", weather{accept: s(1), jail: s(4), hold: s(4)}, 6},
		{"only the first far away", weather{network: [2]time.Duration{s(1), 10 * ms}}, 6},
		{"only the second far away", weather{network: [2]time.Duration{10 * ms, s(1)}}, 6},
		{"only one far away, nats-server", weather{network: [2]time.Duration{s(1), 10 * ms}, jail: s(1), hold: s(1)}, 6},
		{"in very uneven networks", weather{network: [2]time.Duration{s(.5), s(.5)}, accept: s(2), uneven: 1, jail: s(1), hold: s(1)}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := map[int]int{}
			for seed := range uint64(2000) {
				f := newFight(t, c.w, seed)
				accepted := f.play(t)
				seen[accepted]++
				require.LessOrEqual(t, accepted, c.most, "CONNECTs accepted, with seed %d", seed)
			}
			t.Log("fights by CONNECTs accepted:", seen)
		})
	}
}

// TestTwoInAnyWeather is the same for weather of every kind. Where the two begin with a back-off that an
// outage has raised, and the broker holds one of them for long, it may take some more.
func TestTwoInAnyWeather(t *testing.T) {
	for name, c := range map[string]struct {
		longest  time.Duration // that the broker holds
		failures int
		most     int
	}{
		"":                {4 * time.Second, 1, 8},
		"after an outage": {2 * time.Second, 10, 30},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[int]int{}
			for seed := range uint64(10000) {
				r := rand.New(rand.NewPCG(seed, 1))
				up := func(most time.Duration) time.Duration { return time.Duration(r.Float64() * float64(most)) }
				w := weather{
					network: [2]time.Duration{up(time.Second), up(time.Second)}, accept: up(3 * time.Second), uneven: r.Float64(),
					jail: up(c.longest), failures: r.IntN(c.failures),
				}
				w.hold = w.jail
				accepted := newFight(t, w, seed).play(t)
				seen[accepted]++
				require.LessOrEqual(t, accepted, c.most, "CONNECTs accepted in %+v with seed %d", w, seed)
			}
			t.Log("fights by CONNECTs accepted:", seen)
		})
	}
}

// Another client may have no rules, connect again after the same time for ever, and make each connection a clean start.
func TestOneThatNeverGivesWay(t *testing.T) {
	for _, every := range []time.Duration{0, time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second} {
		t.Run(every.String(), func(t *testing.T) {
			for seed := range uint64(500) {
				w := weather{network: [2]time.Duration{50 * time.Millisecond, 50 * time.Millisecond}, accept: 10 * time.Millisecond, uneven: .5}
				f := newFight(t, w, seed)
				us, other := f.fighters[0], f.fighters[1]
				other.again = max(every, time.Millisecond)
				us.step(opened{})
				for f.agenda.Len() > 0 && f.now < 10*time.Minute {
					e := heap.Pop(&f.agenda).(entryOf)
					f.now = e.at
					e.do()
					if us.machine.phase == phaseOnline && f.accepted == 1 && other.call == nil {
						other.stubborn()
					}
				}
				require.Equal(t, phaseDisplaced.String(), us.machine.phase.String())
				require.LessOrEqual(t, f.accepted, 2*slowMost)
				require.NotNil(t, other.call)
			}
		})
	}
}

// stubborn connects, and does so again whenever the connection has ended.
func (f *fighter) stubborn() {
	c := &call{of: f}
	f.call = c
	f.after(3*f.about(f.network), func() { f.connect(c) })
}

// fight is the two, the broker between them, and their time.
type fight struct {
	t        testing.TB
	w        weather
	rand     *rand.Rand
	now      time.Duration
	agenda   agenda
	fighters [2]*fighter

	owner    *call // who is connected at the broker
	taken    time.Duration
	accepted int
	cleaned  bool // by a clean start
}

// fighter is one client: a machine, and what its loop would do.
type fighter struct {
	*fight
	machine  machine
	network  time.Duration
	call     *call // the present one
	waits    int   // numbers the waits and the stages, so that an old alarm is known as such
	stages   int
	dialed   time.Duration
	welcomed time.Duration
	again    time.Duration // has no rules, and connects again after that time; 0: has the rules
}

// call is one connection of a fighter to the broker.
type call struct {
	of    *fighter
	gen   uint32
	ended bool // for the broker
	heard time.Duration
}

func newFight(t testing.TB, w weather, seed uint64) *fight {
	f := &fight{t: t, w: w, rand: rand.New(rand.NewPCG(seed, 0)), taken: -time.Hour}
	for i := range f.fighters {
		f.fighters[i] = &fighter{fight: f, network: w.network[i]}
		f.fighters[i].machine = machine{failures: w.failures, version: negotiation{forced: true, spoken: mqtt.V311}}
	}
	return f
}

// play lets the second connect when the first is online, and gives how many connections the broker
// has accepted when the fight was over.
func (f *fight) play(t testing.TB) int {
	one, two := f.fighters[0], f.fighters[1]
	one.step(opened{})
	over := time.Duration(0)
	for f.agenda.Len() > 0 && f.now < over+10*time.Minute {
		e := heap.Pop(&f.agenda).(entryOf)
		f.now = e.at
		e.do()
		if one.machine.phase == phaseOnline && two.machine.phase == phaseIdle {
			two.step(opened{})
		}
		if over == 0 && (one.machine.phase == phaseDisplaced || two.machine.phase == phaseDisplaced) {
			over = f.now
		}
	}
	if one.machine.phase == phaseDisplaced {
		one, two = two, one
	}
	require.Equal(t, phaseDisplaced.String(), two.machine.phase.String(), "one gives way")
	assert.Equal(t, phaseOnline.String(), one.machine.phase.String(), "the other stays")
	return f.accepted
}

// after has something done later, in the order of time.
func (f *fight) after(d time.Duration, do func()) {
	heap.Push(&f.agenda, entryOf{f.now + d, f.agenda.number(), do})
}

// about varies a duration as the weather does.
func (f *fight) about(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + f.w.uneven*(2*f.rand.Float64()-1)))
}

// step takes an event through the machine and does what it wants.
func (f *fighter) step(e event) {
	m, effects := step(f.machine, e)
	f.machine = m
	for _, e := range effects {
		f.perform(e)
	}
}

func (f *fighter) perform(e effect) {
	gen := f.machine.gen
	switch e := e.(type) {
	case fetch:
		f.after(0, func() { f.step(endpointReady{gen: e.gen}) })
	case dial:
		f.dialed = f.now
		f.after(2*f.about(f.network), func() { f.step(dialed{e.gen}) })
	case greet:
		c := &call{of: f, gen: e.gen}
		f.call = c
		f.after(f.about(f.network), func() { f.connect(c) })
	case resume:
		f.after(2*f.about(f.network), func() { f.step(subscribed{gen}) })
	case watchStable:
		f.after(30*time.Second, func() { f.step(stableDue(e)) })
	case limit:
		f.stages++
		stage := f.stages
		f.after(10*time.Second, func() {
			if stage == f.stages {
				f.lose(cause{kind: causeTimeout, text: e.stage.String()})
			}
		})
	case unlimit:
		f.stages++
	case abandon, hangUp:
		f.stages++
		if c := f.call; c != nil {
			f.call = nil
			f.after(f.about(f.network), func() { f.gone(c) })
		}
	case wait:
		f.waits++
		turn := f.waits
		f.after(e.floor+backoff{time.Second, time.Minute}.delay(e.attempt, f.rand.Float64()), func() {
			if turn == f.waits {
				f.step(retryDue{})
			}
		})
	case announce, learn, flow, settle, failSent:
	default:
		require.Fail(f.t, "an effect that this does not know", "%s", e.effect())
	}
}

func (f *fighter) lose(c cause) {
	if f.again > 0 {
		f.after(f.again, f.stubborn)
		return
	}
	c.at = f.now
	c.took = f.now - f.dialed
	if f.machine.phase > phaseGreeting {
		c.lived, c.took = f.now-f.welcomed, f.welcomed-f.dialed
	}
	f.step(lost{f.machine.gen, c})
}

// connect is the broker's answer to CONNECT.
func (f *fight) connect(c *call) {
	if f.now-f.taken < f.w.jail {
		f.after(f.w.hold, func() { f.close(c) })
		return
	}
	f.after(f.about(f.w.accept), func() {
		if f.now-f.taken < f.w.jail { // somebody else was quicker
			f.close(c)
			return
		}
		if c.ended {
			return
		}
		if f.owner != nil {
			f.taken = f.now
			f.close(f.owner)
		}
		f.owner = c
		f.accepted++
		present := !f.cleaned && c.of.again == 0
		f.cleaned = c.of.again > 0
		f.tell(c, func(fighter *fighter) {
			fighter.welcomed = f.now
			fighter.step(welcomed{gen: c.gen, kept: true, sessionPresent: present})
		})
	})
}

// close ends a connection without a word.
func (f *fight) close(c *call) {
	f.gone(c)
	f.tell(c, func(fighter *fighter) {
		fighter.call = nil
		fighter.lose(cause{kind: causeClosed, err: &transport.CloseError{}})
	})
}

// gone notes that a connection has ended.
func (f *fight) gone(c *call) {
	c.ended = true
	if f.owner == c {
		f.owner = nil
	}
}

// tell has something done when it has come to the fighter, behind what came before, unless that is
// not interested in the call any more.
func (f *fight) tell(c *call, do func(*fighter)) {
	c.heard = max(c.heard, f.now+f.about(c.of.network))
	f.after(c.heard-f.now, func() {
		if c.of.call == c {
			do(c.of)
		}
	})
}

// agenda is what is going to happen, as a heap.
type agenda struct {
	list []entryOf
	made int
}

type entryOf struct {
	at     time.Duration
	number int // of two at the same time the older comes first
	do     func()
}

func (a *agenda) number() int { a.made++; return a.made }
func (a *agenda) Len() int    { return len(a.list) }
func (a *agenda) Less(i, j int) bool {
	return a.list[i].at < a.list[j].at || a.list[i].at == a.list[j].at && a.list[i].number < a.list[j].number
}
func (a *agenda) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }
func (a *agenda) Push(x any)    { a.list = append(a.list, x.(entryOf)) }
func (a *agenda) Pop() any {
	last := a.list[len(a.list)-1]
	a.list = a.list[:len(a.list)-1]
	return last
}
