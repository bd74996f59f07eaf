package interop

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
)

const (
	lanes     = 8
	lanePause = 80 * time.Millisecond // between the messages of a lane
	uptime    = 2 * time.Second       // of a broker between its restarts
)

// restarting is a row of the table of restarts.
type restarting struct {
	column column
	qos    byte
	short  bool
}

var restartings = []restarting{
	{column{localCloud, 5, kiiweb.TransportTCP, onNative, true}, 1, true},
	{column{localCloud, 4, kiiweb.TransportTCP, onNative, true}, 1, false},
	{column{localCloud, 5, kiiweb.TransportWS, onChromium, true}, 1, true},
	{column{localCloud, 4, kiiweb.TransportWS, onChromium, true}, 1, false},
	{column{mosquitto, 5, kiiweb.TransportTCP, onNative, true}, 1, false},
	{column{mosquitto, 5, kiiweb.TransportTCP, onNative, true}, 2, false},
	{column{mosquitto, 4, kiiweb.TransportTCP, onNative, true}, 1, false},
	{column{mosquitto, 4, kiiweb.TransportTCP, onNative, true}, 2, true},
	{column{mosquitto, 5, kiiweb.TransportWS, onChromium, true}, 2, false},
	{column{mosquitto, 4, kiiweb.TransportWS, onChromium, true}, 2, false},
}

// restartResult is what is told of a row.
type restartResult struct {
	restarting
	restarts, online int // how often the broker was restarted, and our client came online
	in, out          figures
}

// TestRestarts ends a broker every two seconds and starts it again, for a minute, while messages
// flow both ways: the local cloud is killed, Mosquitto, which saves its state at the end
// alone, is asked to end. Nothing that was accepted is lost, order is kept, and at QoS 2, and
// for pushes of the cloud on MQTT 5, nothing comes twice.
func TestRestarts(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 4
	}
	play := slices.DeleteFunc(slices.Clone(restartings), func(x restarting) bool { return testing.Short() && !x.short })
	rows := make([]restartResult, len(play))
	sideBySide(len(play), 3, func(i int) {
		x := play[i]
		name := fmt.Sprintf("%s, %s, QoS %d", x.column.broker, x.column.title(), x.qos)
		t.Run(name, func(t *testing.T) { rows[i] = x.play(t, rounds) })
	})
	noneOfOurs(t)
	if *update && !t.Failed() {
		faultsSeen.restarts = rows
		faultsSeen.write(t)
	}
}

func (x restarting) play(t *testing.T, rounds int) restartResult {
	v := startOf(t, x.column.broker)
	var p platform = native{}
	if x.column.platform == onChromium {
		p = newChromium(t)
	}
	s := newStage(t, x.column, v, p, soon)
	us := s.connect(withQoS(x.qos), withoutWatch)
	topic, heard := s.own, us.messages
	offer, other := s.other(v, x.qos)
	if other.messages != nil {
		topic, heard = other.topic, other.messages
	}

	in, out, end := newLedger(), newLedger(), make(chan struct{})
	var flowing sync.WaitGroup
	for n := range lanes {
		flowing.Go(func() { flow(end, fmt.Sprint("in", n), in, offer) })
		flowing.Go(func() {
			flow(end, fmt.Sprint("out", n), out, func(payload string) bool { return us.publish(x.qos, false, topic, payload) == "" })
		})
	}
	for range rounds {
		time.Sleep(uptime) // the broker's time, which is what the test is about
		v.restart(t)
		us.wake()
	}
	// What a slow machine has not managed between the restarts it may do now.
	s.await(func() bool { return in.count() > rounds*lanes && out.count() > rounds*lanes }, "messages flowed")
	close(end)
	flowing.Wait()
	r := restartResult{restarting: x, restarts: rounds}
	s.await(func() bool { return in.tally(us.messages()).lost == 0 }, "everything accepted comes in")
	s.await(func() bool { return out.tally(heard()).lost == 0 }, "everything accepted goes out")
	last := laned("last", 1) // behind which no repeat can be any more
	s.await(func() bool { return offer(last) }, "the last message is taken")
	require.Empty(t, us.publish(x.qos, false, topic, laned("last", 2)))
	s.await(func() bool { return len(once(us.messages(), []string{last})) == 1 }, "the last comes in")
	s.await(func() bool { return len(once(heard(), []string{laned("last", 2)})) == 1 }, "the last goes out")
	r.in, r.out, r.online = in.tally(us.messages()), out.tally(heard()), count(us.states(), kiiweb.StateOnline)
	assert.Zero(t, count(us.states(), kiiweb.StateDisplaced))
	assert.Greater(t, r.online, 1, "there was something to survive")
	r.in.check(t, x.qos == 2 || s.private && x.column.protocol == 5, "in")
	r.out.check(t, x.qos == 2, "out")
	us.close()
	other.close()
	t.Logf("%+v", r)
	return r
}

// flow sends the messages of one lane until end is closed.
func flow(end chan struct{}, lane string, l *ledger, offer func(payload string) bool) {
	for n := 1; ; n++ {
		payload := laned(lane, n)
		l.note(payload, offer(payload))
		select {
		case <-end:
			return
		case <-time.After(lanePause):
		}
	}
}

// otherEnd is who takes and sends messages at the other end of restarts.
type otherEnd struct {
	topic    string
	messages func() []peer.Message
	close    func()
}

// other gives the way to send to our client, and who hears what it sends. At the cloud that
// are pushes and our client itself; elsewhere it is another client of ours, since the
// peer of the scenarios does not take care of repeats at QoS 2.
func (s *stage) other(v venue, qos byte) (offer func(payload string) bool, end otherEnd) {
	s.Helper()
	if there, ok := s.there.(*sender); ok {
		return there.offer, otherEnd{close: func() {}}
	}
	e := s.endpoint
	e.MQTTTopic = fresh("other")
	e.PortTCP = v.(public).TCP
	c, code := native{}.connect(s.TB, e, options{protocol: 5, transport: kiiweb.TransportTCP, qos: qos, keepAlive: 60, limit: soon, unwatched: true})
	require.Empty(s, code)
	there := c.(*nativeClient)
	var mu sync.Mutex // wakes it when it has to send, since nobody else does
	offer = func(payload string) bool {
		mu.Lock()
		if last(there.states()) == kiiweb.StateWaiting {
			there.wake()
		}
		mu.Unlock()
		return there.publish(qos, false, s.own, payload) == ""
	}
	return offer, otherEnd{topic: e.MQTTTopic, messages: there.messages, close: there.close}
}

func withoutWatch(o *options) { o.unwatched = true }

// noneOfOurs awaits that no goroutine of our client is left.
func noneOfOurs(t testing.TB) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	var left string
	require.Eventually(t, func() bool {
		left = ""
		for g := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(g, "/internal/session.") || strings.Contains(g, "/internal/transport.") || strings.Contains(g, "/pkg/kiiweb.") {
				left += g + "\n\n"
			}
		}
		return left == ""
	}, soon, tick, "goroutines of our client are left")
	assert.Empty(t, left)
}

// restart of a broker that is open to all.
func (p public) restart(t testing.TB) {
	t.Helper()
	require.NotNil(t, p.Restart, "%s cannot be restarted here", p.Name)
	p.Restart(t)
}

// restart kills the cloud. The lock keeps senders off while its addresses are written.
func (p private) restart(t testing.TB) {
	t.Helper()
	p.Kill()
	p.Restarting.Lock()
	defer p.Restarting.Unlock()
	p.Restart()
}
