package session

import (
	"errors"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// versions are the protocol versions, best first.
var versions = [...]mqtt.Version{mqtt.V5, mqtt.V311, mqtt.V31}

// silentCloses is how many closes before CONNACK running count as a refusal of the
// version. One says nothing: networks break.
const silentCloses = 2

// negotiation finds the version that a broker speaks. It is a part of the machine, and
// as pure.
type negotiation struct {
	forced bool         // the application wants version and no other
	spoken mqtt.Version // what the next CONNECT speaks
	proven bool         // it worked at this endpoint, a day ago at most
	sure   bool         // it did for this session: closes say nothing about the version
	denied uint8        // a bit for each version that was refused in this round
	guess  bool         // one of those was refused by mere closes
	closes int          // before CONNACK, running
}

// begin chooses the version for an endpoint where proven worked before, 0 for none.
// A round that is under way goes on; one whose result has lapsed begins again.
func (n *negotiation) begin(proven mqtt.Version) {
	switch {
	case n.forced:
	case proven != 0 && !(n.proven && n.spoken == proven):
		*n = negotiation{spoken: proven, proven: true}
	case proven == 0 && (n.proven || n.spoken == 0):
		*n = negotiation{spoken: versions[0]}
	}
}

// accepted notes that the broker speaks the version.
func (n *negotiation) accepted() {
	*n = negotiation{forced: n.forced, spoken: n.spoken, proven: true, sure: true}
}

// deny moves on to the best version that the broker has not refused in this round;
// false: there is none, and the round is over.
func (n *negotiation) deny(guess bool) bool {
	n.denied |= 1 << n.spoken
	n.guess = n.guess || guess
	n.proven, n.sure, n.closes = false, false, 0
	for _, v := range versions {
		if n.denied>>v&1 == 0 {
			n.spoken = v
			return true
		}
	}
	return false
}

// verdict is what an end before CONNACK says about the version.
type verdict uint8

const (
	verdictNone   verdict = iota
	verdictNext           // the next version is tried at once
	verdictForget         // the version that worked before is in doubt: the next attempt begins anew
	verdictStop           // the broker refuses every version that it may be asked for
)

// judge draws the conclusion from an end before CONNACK.
func (n *negotiation) judge(c cause, r ruling) verdict {
	switch {
	case c.unsupportedVersion():
		switch {
		case n.forced:
			return verdictStop
		case n.deny(false):
			return verdictNext
		case !n.guess:
			return verdictStop
		}
	case c.silent(r) && !n.forced && !n.sure:
		if n.closes++; n.closes < silentCloses {
			return verdictNone
		}
		if !n.proven && n.deny(true) {
			return verdictNext
		}
	default:
		n.closes = 0
		return verdictNone
	}
	*n = negotiation{spoken: versions[0]}
	return verdictForget
}

// unsupportedVersion tells whether the broker says that it does not speak the version.
func (c cause) unsupportedVersion() bool {
	return c.reason == mqtt.UnsupportedProtocolVersion && (c.kind == causeConnack || c.kind == causeViolation)
}

// silent tells whether it is a close that leaves its reason open: a broker that does not
// understand CONNECT closes, with the code for a broken protocol at best, or with that
// for a failure of its own, as RabbitMQ 3 does.
func (c cause) silent(r ruling) bool {
	if c.kind != causeClosed || r.act != actRetry {
		return false
	}
	closed, ok := errors.AsType[*transport.CloseError](c.err)
	return r.code == fault.Network || r.code == fault.ProtocolError || ok && closed.Code == 1011
}

// versionName is a version as people know it.
func versionName(v mqtt.Version) string {
	switch v {
	case mqtt.V31:
		return "MQTT 3.1"
	case mqtt.V311:
		return "MQTT 3.1.1"
	}
	return "MQTT 5"
}
