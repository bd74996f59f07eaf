package interop

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/tap"
)

// exchange is what one run under a fault does: so many messages each way.
const exchange = 3

// suffering is who suffers the faults.
type suffering struct {
	column column
	qos    byte
	step   int // between the bytes after which the connection is reset
	short  int // the same in the short form, 0 for not in it
}

var sufferings = []suffering{
	{column{localCloud, 5, kiiweb.TransportTCP, onNative, true}, 1, 1, 50},
	{column{localCloud, 4, kiiweb.TransportTCP, onNative, true}, 1, 1, 0},
	{column{localCloud, 5, kiiweb.TransportWS, onChromium, true}, 1, 23, 0},
	{column{mosquitto, 5, kiiweb.TransportTCP, onNative, true}, 1, 1, 0},
	{column{mosquitto, 5, kiiweb.TransportTCP, onNative, true}, 2, 1, 0},
	{column{mosquitto, 4, kiiweb.TransportTCP, onNative, true}, 1, 1, 0},
	{column{mosquitto, 4, kiiweb.TransportTCP, onNative, true}, 2, 1, 50},
	{column{mosquitto, 4, kiiweb.TransportWS, onChromium, true}, 2, 23, 250},
}

// networks are the bad ones that stay bad.
var networks = []struct {
	name  string
	fault tap.Fault
}{
	{"none", tap.Fault{}},
	{"800 ms late", tap.Fault{Latency: 800 * time.Millisecond}},
	{"pieces of one byte", tap.Fault{Slice: 1}},
	{"1 KB per second", tap.Fault{Rate: 1024}},
}

// faultResult is what is told of one fault for one of those who suffer it.
type faultResult struct {
	suffering
	fault   string
	runs    int
	in, out figures
}

// TestFaults has bad networks between our client and the brokers. Whatever happens there,
// what the broker or our client has accepted arrives, in order, and at QoS 2, and for
// pushes of the cloud on MQTT 5, once; and nothing of our client is left when it is closed.
func TestFaults(t *testing.T) {
	play := slices.DeleteFunc(slices.Clone(sufferings), func(x suffering) bool { return testing.Short() && x.short == 0 })
	venues := map[string]venue{}
	for _, x := range play {
		if venues[x.column.broker] == nil {
			venues[x.column.broker] = startOf(t, x.column.broker)
		}
	}
	rows := make([][]faultResult, len(play))
	sideBySide(len(play), 3, func(i int) {
		x := play[i]
		t.Run(fmt.Sprintf("%s, %s, QoS %d", x.column.broker, x.column.title(), x.qos), func(t *testing.T) {
			rows[i] = x.all(t, venues[x.column.broker])
		})
	})
	noneOfOurs(t)
	if *update && !t.Failed() {
		faultsSeen.faults = slices.Concat(rows...)
		faultsSeen.write(t)
	}
}

func startOf(t testing.TB, broker string) venue {
	t.Helper()
	for _, s := range starts {
		if s.broker == broker {
			return s.start(t)
		}
	}
	require.FailNow(t, "there is no such broker", broker)
	return nil
}

// all lets everything happen, side by side as it is mostly waiting.
func (x suffering) all(t *testing.T, v venue) []faultResult {
	var p platform = native{}
	if x.column.platform == onChromium {
		p = newChromium(t)
	}
	rows := make([]faultResult, len(networks)+3)
	var running sync.WaitGroup
	row := func(n int, name string, run func(t *testing.T, r *faultResult)) {
		rows[n] = faultResult{suffering: x, fault: name}
		running.Go(func() { t.Run(name, func(t *testing.T) { run(t, &rows[n]) }) })
	}
	for n, f := range networks {
		row(n, f.name, func(t *testing.T, r *faultResult) { x.suffer(t, v, p, f.fault, r) })
	}
	row(len(networks), "silence in the middle", func(t *testing.T, r *faultResult) { x.silence(t, v, p, r) })
	running.Wait()
	for n, up := range []bool{true, false} {
		row(len(networks)+1+n, x.direction(up), func(t *testing.T, r *faultResult) { x.resets(t, v, p, up, r) })
	}
	running.Wait()
	return rows
}

func (x suffering) direction(up bool) string {
	where := "from"
	if up {
		where = "to"
	}
	if x.step == 1 {
		return "reset after every byte " + where + " the broker"
	}
	return fmt.Sprintf("reset after 1, %d, %d, … bytes %s the broker", 1+x.step, 1+2*x.step, where)
}

// resets suffers one reset after each number of bytes that a whole exchange takes in one
// direction, from CONNECT on; some of them side by side.
func (x suffering) resets(t *testing.T, v venue, p platform, up bool, r *faultResult) {
	var all int
	t.Run("none", func(t *testing.T) {
		u, d := x.suffer(t, v, p, tap.Fault{}, &faultResult{}).tap.Passed()
		if all = d.Bytes; up {
			all = u.Bytes
		}
	})
	require.Greater(t, all, 50, "an exchange takes some bytes")
	step := x.step
	if testing.Short() {
		step = x.short
	}
	var mu sync.Mutex
	sideBySide((all+step-1)/step, 16, func(i int) {
		n := 1 + i*step
		reset := tap.Reset{Down: n}
		if up {
			reset = tap.Reset{Up: n}
		}
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			var one faultResult
			s := x.suffer(t, v, p, tap.Fault{Reset: reset}, &one)
			if n < all/2 { // towards the end nothing may be left to do
				assert.Greater(t, s.tap.Opened(), 1, "the reset had to be survived")
			}
			mu.Lock()
			defer mu.Unlock()
			r.add(one)
		})
	})
}

func (r *faultResult) add(one faultResult) {
	r.runs += one.runs
	r.in.add(one.in)
	r.out.add(one.out)
}

// suffer makes an exchange over a bad network.
func (x suffering) suffer(t *testing.T, v venue, p platform, f tap.Fault, r *faultResult) *stage {
	s := newStage(t, x.column, v, p, soon)
	s.tap.Suffer(f)
	us := s.connect(withQoS(x.qos))
	in, out := newLedger(), newLedger()
	s.exchange(us, x.qos, in, out, 1)
	s.settle(us, x.qos, in, out, r)
	return s
}

// silence lets the network lose everything in the middle of an exchange, without an end
// of the connection.
func (x suffering) silence(t *testing.T, v venue, p platform, r *faultResult) {
	s := newStage(t, x.column, v, p, soon)
	us := s.connect(withQoS(x.qos), func(o *options) { o.keepAlive = 6 })
	in, out := newLedger(), newLedger()
	s.exchange(us, x.qos, in, out, 1)
	s.tap.Mute(true)
	var sending sync.WaitGroup
	sending.Go(func() { s.exchange(us, x.qos, in, out, exchange+1) })
	s.await(func() bool { return count(us.states(), kiiweb.StateWaiting) > 0 }, "the silence is noticed")
	s.tap.Mute(false)
	sending.Wait()
	s.settle(us, x.qos, in, out, r)
}

// outTopic is where our client sends to, and listener what comes there.
func (s *stage) outTopic() string {
	if s.private {
		return s.own
	}
	return s.own + "/out"
}

// exchange sends messages both ways, numbered on from first.
func (s *stage) exchange(us client, qos byte, in, out *ledger, first int) {
	s.Helper()
	if !s.private && first == 1 {
		s.there.hears(s.outTopic(), qos)
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		for n := first; n < first+exchange; n++ {
			in.note(laned("in", n), s.there.publish(qos, false, s.own, laned("in", n)) == yes)
		}
	})
	for n := first; n < first+exchange; n++ {
		out.note(laned("out", n), assert.Empty(s, us.publish(qos, false, s.outTopic(), laned("out", n))))
	}
	sending.Wait()
}

// settle waits until all has come, closes our client and writes up what became of it.
func (s *stage) settle(us client, qos byte, in, out *ledger, r *faultResult) {
	s.Helper()
	heard := s.there.messages
	if s.private {
		heard = us.messages
	}
	s.await(func() bool { return in.tally(us.messages()).lost == 0 && out.tally(heard()).lost == 0 }, "all come")
	require.Equal(s, yes, s.there.publish(qos, false, s.own, laned("last", 1))) // behind which no repeat can be
	s.await(func() bool { return len(once(us.messages(), []string{laned("last", 1)})) == 1 }, "the last comes in")
	require.Empty(s, us.publish(qos, false, s.outTopic(), laned("last", 2)))
	s.await(func() bool { return len(once(heard(), []string{laned("last", 2)})) == 1 }, "the last goes out")
	r.runs++
	r.in, r.out = in.tally(us.messages()), out.tally(heard())
	r.in.check(s, qos == 2 || s.private && s.column.protocol == 5, "in")
	r.out.check(s, qos == 2, "out")
	us.close()
}
