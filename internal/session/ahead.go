package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// The session's own SUBSCRIBE leaves together with CONNECT, in one write: a client need not wait for CONNACK (MQTT 5 and
// 3.1.1, 3.1.4), and so comes to its messages a round trip earlier. Nothing in it depends on what CONNACK says: it goes out whether
// the server has a session or not, and its packet identifier is that of nothing that was sent before. A server that
// refuses CONNECT must not look at it [MQTT-3.1.4-5, in MQTT 5 MQTT-3.1.4-6].
//
// Not every server may be as good as that. One may close or keep silent over it; and where one that refuses leaves it unread,
// its system may end the connection so that CONNACK is lost on the way. So an end before SUBACK that CONNACK or SUBACK does not
// explain has SUBSCRIBE wait from then on.

// ahead tells whether SUBSCRIBE goes with CONNECT. MQTT 3.1 does not say that it may.
func (m machine) ahead() bool { return !m.plain && m.version.spoken != mqtt.V31 }

// balkedAhead notes the end of an attempt that may be due to SUBSCRIBE's having been sent ahead. What the server says then, if it
// says that a rule was broken, need not be true of the next attempt.
func (m *machine) balkedAhead(c cause, r *ruling) {
	if !m.ahead() || m.phase != phaseGreeting && m.phase != phaseSubscribing {
		return
	}
	broken := r.code == fault.ProtocolError
	if c.unsupportedVersion() || (c.kind == causeConnack || c.kind == causeSuback) && !broken {
		return
	}
	m.plain = true
	if broken && r.act == actStop {
		r.act = actRetry
	}
}

// askOwn puts the session's own SUBSCRIBE into the next write.
func (l *loop) askOwn() *ask {
	own := &ask{filter: l.endpoint.Topic, qos: l.cfg.QoS, own: true, id: l.out.newID()}
	l.must(l.encode(own.packet()))
	return own
}
