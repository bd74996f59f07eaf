package session

import "time"

// maxPongWait is the longest wait for PINGRESP.
const maxPongWait = 10 * time.Second

// wakeWait is the wait for PINGRESP after something suggested that the connection
// may be dead.
const wakeWait = 5 * time.Second

// jumpLate is how late a timer has to fire for the machine to count as having slept.
const jumpLate = 5 * time.Second

// keepAlive decides when PINGREQ is due and when the connection counts as dead. It
// is pure: times come in as arguments.
//
// PINGREQ is due when nothing was sent for half of the keep alive, so that the server
// keeps the connection [MQTT-3.1.2-20], and when nothing was received for as long,
// so that a dead network is noticed although this side goes on sending.
type keepAlive struct {
	half     time.Duration // half of the keep alive; 0: off
	sent     time.Time
	received time.Time
	pongBy   time.Time     // when the outstanding PINGRESP is overdue; zero: none is outstanding
	window   time.Duration // what the outstanding PINGRESP was given
	graced   bool          // the deadline was moved once because the machine slept
	asking   bool          // the outstanding PINGREQ waits to be written
	through  time.Time     // when the server has all that was sent, over a slow network
	since    time.Time     // the same of what was sent behind the outstanding PINGREQ
}

// start begins at now with a keep alive in seconds.
func (k *keepAlive) start(now time.Time, seconds uint16) {
	*k = keepAlive{half: time.Duration(seconds) * time.Second / 2, sent: now, received: now}
}

// slowNetwork is the speed, in bytes per second, that a network is taken to have at least. What was sent may be
// under way for as long as that takes, for longer than a PINGREQ behind it is given otherwise: browsers and systems take more than the
// network does. Of small messages they take so much that it is mostUnderWay; of a write from largeWrite bytes on
// all, but what takes longer than longestUnderWay brokers take for silence.
const (
	largeWrite      = 128 << 10
	slowNetwork     = 16 << 10
	mostUnderWay    = time.Minute // in which a browser gets rid of what it takes ahead, and some more
	longestUnderWay = 2 * time.Minute
	leastUnderWay   = 100 * time.Millisecond // less is nothing
)

// wrote notes that so many bytes were sent.
func (k *keepAlive) wrote(now time.Time, size int) {
	k.sent = now
	most, large := mostUnderWay, size >= largeWrite
	if large {
		most = longestUnderWay
	}
	k.through = through(k.through, now, size, most)
	if large || !k.asking { // otherwise it is PINGREQ, and little else
		k.since = through(k.since, now, size, most)
	}
	if !k.pongBy.IsZero() && (large || k.asking) { // PINGREQ may be in the same frame
		k.pongBy = later(k.pongBy, now.Add(k.window+k.underWay(now)))
	}
	k.asking = false
}

// through gives when so many bytes more have got to the server, if what was before has at that time.
func through(at, now time.Time, size int, most time.Duration) time.Time {
	longer := later(at, now).Add(time.Duration(size) * time.Second / slowNetwork)
	if last := now.Add(most); longer.After(last) {
		return later(at, last)
	}
	return longer
}

// underWay is how long what was sent may still take to get to the server.
func (k *keepAlive) underWay(now time.Time) time.Duration {
	if d := k.through.Sub(now); d >= leastUnderWay {
		return d
	}
	return 0
}

// heard notes that something was received. A server that is busy sending has a slow
// network, not a dead one: the outstanding PINGRESP gets its window again.
func (k *keepAlive) heard(now time.Time) {
	k.received = now
	if !k.pongBy.IsZero() {
		k.pongBy = later(k.pongBy, now.Add(k.window))
	}
}

// answered notes PINGRESP: the server has what was sent before.
func (k *keepAlive) answered() {
	k.pongBy, k.graced = time.Time{}, false
	k.through = k.since
}

// next gives the time to look again; zero: never.
func (k *keepAlive) next() time.Time {
	ping := k.pingAt()
	if k.pongBy.IsZero() || !ping.IsZero() && ping.Before(k.pongBy) {
		return ping
	}
	return k.pongBy
}

// pingAt gives the time at which PINGREQ is due; zero: never. While one is outstanding the next is due when nothing else
// was sent: its answer may be on its way behind much else, or not be looked at yet.
func (k *keepAlive) pingAt() time.Time {
	switch {
	case k.half == 0:
		return time.Time{}
	case k.sent.Before(k.received) || !k.pongBy.IsZero():
		return k.sent.Add(k.half)
	}
	return k.received.Add(k.half)
}

// pingDue tells whether PINGREQ is to be sent now.
func (k *keepAlive) pingDue(now time.Time) bool {
	return k.half != 0 && !now.Before(k.pingAt())
}

// pinged notes PINGREQ.
func (k *keepAlive) pinged(now time.Time) {
	k.sent = now
	if k.pongBy.IsZero() {
		k.await(now, min(k.half, maxPongWait))
	}
}

// asked notes a PINGREQ behind something that may take long to get to the server.
func (k *keepAlive) asked(now time.Time) { k.await(now, maxPongWait) }

func (k *keepAlive) await(now time.Time, window time.Duration) {
	k.window, k.pongBy, k.since, k.asking = window, now.Add(window+k.underWay(now)), time.Time{}, true
}

// dead tells whether PINGRESP is overdue.
func (k *keepAlive) dead(now time.Time) bool {
	return !k.pongBy.IsZero() && !now.Before(k.pongBy)
}

// probe asks for a sign of life soon: it tells whether PINGREQ is to be sent. When
// one is outstanding its answer gets the short deadline; a deadline that passed while
// the machine slept is moved, once.
func (k *keepAlive) probe(now time.Time) (send bool) {
	short := now.Add(wakeWait + k.underWay(now))
	switch {
	case k.pongBy.IsZero():
		k.await(now, wakeWait)
		return true
	case k.pongBy.After(short):
		k.window, k.pongBy = wakeWait, short
	case k.dead(now) && !k.graced:
		k.window, k.pongBy, k.graced = wakeWait, short, true
	}
	return false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
