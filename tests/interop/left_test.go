package interop

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/brokers"
	"github.com/kiiweb/kiiweb/tests/interop/tap"
)

// interruptions are networks in which connections are closed in the middle of things.
var interruptions = []tap.Fault{{}, {Latency: 200 * time.Millisecond}, {Rate: 200}, {Reset: tap.Reset{Up: 90}}, {Reset: tap.Reset{Down: 150}}}

// interrupted closes a connection while it publishes.
func interrupted(t testing.TB, c column, b *brokers.Broker, p platform, f tap.Fault) {
	s := newStage(t, c, public{b}, p, soon)
	s.tap.Suffer(f)
	us := s.connect()
	var publishing sync.WaitGroup
	publishing.Go(func() { us.publish(1, false, "x", strings.Repeat("y", 10_000)) })
	us.close()
	publishing.Wait()
}

// TestNothingIsLeft finds no goroutine of our client after the end.
func TestNothingIsLeft(t *testing.T) {
	b := brokers.Mosquitto(t)
	for _, f := range interruptions {
		t.Run("", func(t *testing.T) {
			interrupted(t, column{mosquitto, 5, kiiweb.TransportTCP, onNative, true}, b, native{}, f)
			noneOfOurs(t)
		})
	}
}

// left is what is under way in a page.
type left struct{ Timers, Listeners, Sockets int }

// TestNothingIsLeftInThePage has the module in the page itself: after the end there is no
// socket, no timer but the one by which Go's runtime looks at timers that were stopped, once,
// and no listener but those that the first connection left for all.
func TestNothingIsLeftInThePage(t *testing.T) {
	b, p, s := brokers.Mosquitto(t), newChromiumIn(t, "main"), &stage{TB: t}
	var first, now left
	for n, f := range append([]tap.Fault{{}}, interruptions...) {
		interrupted(t, column{mosquitto, 5, kiiweb.TransportWS, onChromium, true}, b, p, f)
		s.await(func() bool {
			p.eval(t, &now, "left")
			return now.Timers <= 1 && now.Sockets == 0 && (n == 0 || now.Listeners == first.Listeners)
		}, "nothing is left but %+v, at first %+v", &now, &first)
		if n == 0 {
			first = now
		}
	}
	s.await(func() bool { p.eval(t, &now, "left"); return now.Timers == 0 }, "no timer is left, but %+v", &now)
	t.Logf("listeners for all connections: %d", first.Listeners)
}
