package session

import "github.com/kiiweb/kiiweb/internal/fault"

// balkMax is how many connections running have to end over the same message before it is
// given up.
const balkMax = 3

const remedyBalk = "Check the topic, the size, the QoS and the retain flag against what the broker allows: before MQTT 5 it cannot say what it minds."

// balked notes the end of a connection, and tells whether it proves that the broker ends
// connections because of something that it was sent: before MQTT 5 it has no other way to
// refuse a message [3.1.1, MQTT-3.3.5-2]. Such a message would be sent again after each
// reconnection, for ever, and nothing behind it would get through.
//
// After the second such end running what is to be sent again goes out one by one (see
// careful), so that the third leaves no doubt which message it is. Such an end says nothing
// about another client with the same identifier.
func (m *machine) balked(c cause, r ruling) bool {
	if c.answered {
		m.balks = 0
	}
	if !c.unanswered || !c.bare(r) {
		return false
	}
	m.balks++
	if m.balks < balkMax {
		return false
	}
	m.balks = 0
	return true
}

// choked notes the end of a connection over something that was sent, and tells whether a renewal of a subscription may be
// to blame: all else that was sent is not sent again, so the third time running it is what the broker minds.
func (m *machine) choked(c cause) bool {
	if !c.renewing {
		m.chokes = 0
		return false
	}
	m.chokes++
	if m.chokes < balkMax {
		return false
	}
	m.chokes = 0
	return true
}

// bare tells whether a connection was closed soon after it was accepted, and nothing was said but that something is not
// allowed, if that.
func (c cause) bare(r ruling) bool {
	return (c.wordless(r) || c.kind == causeClosed && r.code == fault.Unauthorized) && c.lived < briefLife
}

// wordless tells whether a connection was closed without a reason; not whether this side has closed it, over a
// network that takes nothing any more.
func (c cause) wordless(r ruling) bool {
	return c.kind == causeClosed && r.code == fault.Network && fault.CodeOf(c.err) != fault.Timeout
}

// balk is the error of what the broker refuses by ending connections. last is the
// latest of these ends.
func balk(last *fault.Error) *fault.Error {
	e := fault.Wrap(fault.Unsupported, "the broker ended the connection each of the three times that this was sent", last)
	e.Remedy = remedyBalk
	return e
}

// careful tells whether what was sent last has to be answered before more is sent.
func (l *loop) careful() bool {
	return l.machine.balks == balkMax-1 && !l.link.answered && l.out.unanswered()
}

// unanswered tells whether something was sent over this connection to which an answer is
// awaited that could be a refusal.
func (f *inflight) unanswered() bool {
	for _, o := range f.sent {
		if !o.taken {
			return true
		}
	}
	for _, a := range f.asks.list {
		if a.id != 0 && !a.own {
			return true
		}
	}
	return false
}
