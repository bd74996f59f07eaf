package session

import "time"

const (
	// briefLife is how soon after CONNACK a close without a reason is a sign that another
	// client with the same identifier took over, where that one reaches the broker at once.
	briefLife = 5 * time.Second
	// contestSpan is the time within which three such closes are the proof.
	contestSpan = 60 * time.Second
	// longestWay bounds what a slow way to the broker adds to the two.
	longestWay = 20 * time.Second
	// turnedMost is how many attempts between two such closes may be closed before CONNACK
	// and still be taken for a part of the contest.
	turnedMost = 3
	// slowLife is what a connection lasts at most in a contest with a client that always waits for as long before it connects again:
	// ten seconds are usual. slowMost such connections running are the proof: a network that ends
	// so many, and lets each attempt between them through, is not to be expected. It is less than proxies let connections be idle for.
	slowLife = 20 * time.Second
	slowMost = 6
)

// contest watches for another client with the same identifier where the broker does
// not tell of it: before MQTT 5 none can, and in it there are some that do not, such as
// Mosquitto 2.0.11. Without, the two would evict each other for ever. It is a part of the
// machine, and as pure.
//
// That two with these rules come to a decision must not depend on how fast the broker, the network
// and the machines are: a connection lasts until the other client is back, and that one has a wait
// behind it and the whole way to the broker, on which nats-server, for example, holds whoever comes
// within a second of a takeover for another second, and then closes without CONNACK. So
//
//   - the other's way is taken to be as long as this client's own was, and a close counts for
//     that much longer, and the longer the more have counted;
//   - an end that may be the other's doing does not raise the back-off, nor is what was raised before
//     waited for: the other would not come back in time to be told from the network. That
//     makes no storm, since the third such end is the last, and between two there are at most
//     turnedMost attempts that the broker closes without an answer;
//   - one that does not give way, and waits for the same time whatever happens, is told by the number of its takeovers;
//   - where nobody answers at all it is the network or the broker that fails: what had
//     counted as a sign was a failure, and raises the back-off now.
type contest struct {
	off    bool // the application does not want it
	count  uint8
	last   [2]time.Duration // when the latest brief connections ended, count of them
	turned uint8            // attempts since the latest of them that were closed before CONNACK
	way    time.Duration    // how long those took
	slow   uint8            // connections running that lasted for less than slowLife
}

// suspicion is what an end says about another client.
type suspicion uint8

const (
	suspicionNone suspicion = iota
	suspicionSome
	suspicionProof
)

// judge notes the end of an attempt or a connection in a phase. Only a close counts that has
// no reason, given or to be guessed (see balked, and doubt).
func (k *contest) judge(p phase, c cause, r ruling) suspicion {
	switch {
	case k.off:
	case p == phaseGreeting && c.wordless(r):
		return k.turnedAway(c)
	case p > phaseGreeting && c.wordless(r) && !c.unanswered && !c.doubted:
		return k.evicted(c)
	default:
		k.interrupted()
	}
	return suspicionNone
}

// interrupted notes that something else has happened between two ends than another client's doing: those before it and
// those behind it are not running.
func (k *contest) interrupted() { k.slow = 0 }

// suspects tells whether something has counted lately.
func (k *contest) suspects(now time.Duration) bool {
	return k.count > 0 && now-k.last[k.count-1] < contestSpan
}

// turnedAway notes that the broker closed before CONNACK.
func (k *contest) turnedAway(c cause) suspicion {
	if k.turned == turnedMost || !k.suspects(c.at) {
		return suspicionNone
	}
	k.turned++
	k.way += c.took
	return suspicionSome
}

// evicted notes that the broker closed a connection that it had accepted.
func (k *contest) evicted(c cause) suspicion {
	way := min(c.took+k.way, longestWay)
	k.turned, k.way = 0, 0
	for k.count > 0 && c.at-k.last[0] >= contestSpan+2*way {
		k.last[0] = k.last[1]
		k.count--
	}
	if k.slow++; c.lived >= slowLife+way {
		k.slow = 0
	}
	switch {
	case k.slow == slowMost:
		return suspicionProof
	case c.lived >= briefLife*time.Duration(k.count+1)+way:
		return suspicionNone
	case k.count == 2:
		return suspicionProof
	}
	k.last[k.count] = c.at
	k.count++
	return suspicionSome
}

// unanswered takes all suspicion back, since an attempt has not got through to the broker, and gives the
// number of ends that were suspicious.
func (k *contest) unanswered() int {
	n := int(k.count)
	k.count, k.turned, k.way, k.slow = 0, 0, 0, 0
	return n
}

// attempt gives the number of earlier failures by which the wait after a suspicious end is
// measured.
func (k *contest) attempt() int { return int(k.count) - 1 }
