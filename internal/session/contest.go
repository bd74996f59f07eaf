package session

import "time"

const (
	// briefLife is how soon after CONNACK a close is a sign that another client with the
	// same identifier took over.
	briefLife = 5 * time.Second
	// contestSpan is the time within which three such closes are the proof.
	contestSpan = 60 * time.Second
)

// contest watches for another client with the same identifier where the broker does
// not tell of it: before MQTT 5 none can, and in it there are some that do not, such as
// Mosquitto 2.0.11. Without, the two would evict each other for ever. It is a part of the
// machine, and as pure.
type contest struct {
	off   bool // the application does not want it
	count uint8
	last  [2]time.Duration // when the latest brief connections ended, count of them
}

// decided notes the end of a connection that was accepted, and tells whether it proves
// the contest. Only a close counts that has no reason, given or to be guessed (see balked).
func (k *contest) decided(c cause, r ruling) bool {
	if k.off || c.unanswered || !c.bare(r) {
		return false
	}
	if k.count == 2 && c.at-k.last[0] < contestSpan {
		return true
	}
	if k.count < 2 {
		k.count++
	} else {
		k.last[0] = k.last[1]
	}
	k.last[k.count-1] = c.at
	return false
}
