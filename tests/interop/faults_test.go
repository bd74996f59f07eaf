package interop

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/brokers"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
	"github.com/kiiweb/kiiweb/tests/interop/tap"
)

// exchange is what one run under a fault does: so many messages at QoS 1 each way.
const exchange = 3

// TestFaults has bad networks between our client and the brokers. Whatever happens there,
// what the broker or our client has accepted arrives, in order; repeats are allowed, for
// at QoS 1 they are the protocol's; and nothing of our client is left when it is closed.
func TestFaults(t *testing.T) {
	for _, b := range []struct {
		venue     func(testing.TB) venue
		protocols []int
	}{
		{starts[0].start, []int{5, 4}},
		{starts[1].start, []int{5, 4}},
	} {
		v := b.venue(t)
		name, _ := v.about()
		for _, protocol := range b.protocols {
			c := column{broker: name, protocol: protocol, transport: kiiweb.TransportTCP, platform: onNative}
			t.Run(name+", MQTT "+versionNames[protocol], func(t *testing.T) {
				for _, x := range []struct {
					name  string
					fault tap.Fault
				}{
					{"late by 800 ms", tap.Fault{Latency: 800 * time.Millisecond}},
					{"in pieces of one byte", tap.Fault{Slice: 1}},
					{"1 KB per second", tap.Fault{Rate: 1024}},
				} {
					t.Run(x.name, func(t *testing.T) { suffer(t, c, v, x.fault) })
				}
				t.Run("silence", func(t *testing.T) { silence(t, c, v) })
				for _, up := range []bool{true, false} {
					t.Run(direction(up), func(t *testing.T) { resets(t, c, v, up) })
				}
			})
		}
	}
}

func direction(up bool) string {
	if up {
		return "reset after each byte to the broker"
	}
	return "reset after each byte from the broker"
}

// resets suffers one reset after each number of bytes that a whole exchange takes in one
// direction, from CONNECT on; some of them side by side.
func resets(t *testing.T, c column, v venue, up bool) {
	flows := func(s *stage) int {
		u, d := s.tap.Passed()
		if up {
			return u.Bytes
		}
		return d.Bytes
	}
	var all int
	t.Run("none", func(t *testing.T) { all = flows(suffer(t, c, v, tap.Fault{})) })
	require.Greater(t, all, 50, "an exchange takes some bytes")
	step := 1
	if testing.Short() {
		step = 40
	}
	limits := make(chan int)
	var running sync.WaitGroup
	for range 16 {
		running.Go(func() {
			for n := range limits {
				r := tap.Reset{Down: n}
				if up {
					r = tap.Reset{Up: n}
				}
				t.Run(strconv.Itoa(n), func(t *testing.T) {
					s := suffer(t, c, v, tap.Fault{Reset: r})
					if n < all/2 { // towards the end nothing may be left to do
						assert.Greater(t, s.tap.Opened(), 1, "the reset had to be survived")
					}
				})
			}
		})
	}
	for n := 1; n <= all; n += step {
		limits <- n
	}
	close(limits)
	running.Wait()
}

// suffer makes an exchange over a bad network.
func suffer(t *testing.T, c column, v venue, f tap.Fault) *stage {
	s := newStage(t, c, v, native{}, soon)
	s.tap.Suffer(f)
	us := s.connect()
	s.exchange(us, 1)
	us.close()
	return s
}

// silence lets the network lose everything in the middle of an exchange, without an end
// of the connection.
func silence(t *testing.T, c column, v venue) {
	s := newStage(t, c, v, native{}, soon)
	us := s.connect(func(o *options) { o.keepAlive = 2 })
	s.exchange(us, 1)
	s.tap.Mute(true)
	var sending sync.WaitGroup
	sending.Go(func() { s.exchange(us, exchange+1) })
	s.await(func() bool { return count(us.states(), kiiweb.StateWaiting) > 0 }, "the silence is noticed")
	s.tap.Mute(false)
	sending.Wait()
	us.close()
}

// exchange sends messages both ways, numbered on from first, and waits until all came.
func (s *stage) exchange(us client, first int) {
	s.Helper()
	in, out := numbered(first, first+exchange-1), numbered(-first-exchange+1, -first)
	topic, heard := s.own+"/out", s.there.messages
	if s.private {
		topic, heard = s.own, us.messages
	} else {
		s.there.hears(topic, 1)
	}
	var sending sync.WaitGroup
	sending.Go(func() { assert.Equal(s, yes, s.there.publish(1, false, s.own, in...)) })
	assert.Empty(s, us.publish(1, false, topic, out...))
	sending.Wait()
	for _, x := range []struct {
		want     []string
		messages func() []peer.Message
	}{{in, us.messages}, {out, heard}} {
		came := func() []string { return once(x.messages(), x.want) }
		s.await(func() bool { return len(came()) == len(x.want) }, "%v all come, of which there are %v", x.want, came())
		assert.Equal(s, x.want, came(), "the order")
	}
}

// TestNothingIsLeft closes connections in the middle of things, and finds no goroutine
// of our client afterwards.
func TestNothingIsLeft(t *testing.T) {
	b := brokers.Mosquitto(t)
	before := goleak.IgnoreCurrent()
	for _, f := range []tap.Fault{{}, {Latency: 200 * time.Millisecond}, {Rate: 200}, {Reset: tap.Reset{Up: 90}}} {
		t.Run("", func(t *testing.T) {
			s := newStage(t, column{mosquitto, 5, kiiweb.TransportTCP, onNative, true}, public{b}, native{}, soon)
			s.tap.Suffer(f)
			c := s.connect()
			var publishing sync.WaitGroup
			publishing.Go(func() { c.publish(1, false, "x", strings.Repeat("y", 10_000)) })
			c.close()
			publishing.Wait()
		})
	}
	require.NoError(t, goleak.Find(before))
}
