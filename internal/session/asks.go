package session

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// ask is a request about one topic filter: SUBSCRIBE or UNSUBSCRIBE.
type ask struct {
	filter  string
	qos     byte       // asked for
	granted byte       // set before result
	off     bool       // UNSUBSCRIBE
	own     bool       // the session's own subscription, which is a stage of the attempt
	id      uint16     // of the packet that was sent over this connection, 0 before
	sent    bool       // over this one or an earlier one: the server may have it
	expires time.Time  // not sent until then, it is not sent at all; zero: never
	result  chan error // takes one value; nil where nobody waits
}

// settle tells the result.
func (a *ask) settle(err error) {
	select {
	case a.result <- err:
	default:
	}
}

// renewal tells whether it is about a subscription that was granted before.
func (a *ask) renewal() bool { return a.result == nil && !a.own }

// packet makes the ask's packet.
func (a *ask) packet() mqtt.Packet {
	if a.off {
		return &mqtt.Unsubscribe{PacketID: a.id, Filters: []string{a.filter}}
	}
	return &mqtt.Subscribe{PacketID: a.id, Subscriptions: []mqtt.Subscription{{Filter: a.filter, QoS: a.qos}}}
}

// asks are the requests that wait to be sent or answered, in their order, and the
// filters that were granted besides the session's own.
type asks struct {
	list    []*ask
	granted []mqtt.Subscription
}

// find gives the ask that was sent under a packet identifier, nil when there is none.
func (s *asks) find(id uint16, off bool) *ask {
	for _, a := range s.list {
		if a.id == id && a.off == off {
			return a
		}
	}
	return nil
}

func (s *asks) drop(a *ask) {
	for i := range s.list {
		if s.list[i] == a {
			s.list = append(s.list[:i], s.list[i+1:]...)
			return
		}
	}
}

// forget takes a out when it was not sent yet: its caller no longer waits.
func (s *asks) forget(a *ask) {
	if a.id == 0 {
		s.drop(a)
	}
}

// note keeps in mind that a filter was granted, or is gone.
func (s *asks) note(filter string, granted bool, qos byte) {
	kept := s.granted[:0]
	for _, g := range s.granted {
		if g.Filter != filter {
			kept = append(kept, g)
		}
	}
	if granted {
		kept = append(kept, mqtt.Subscription{Filter: filter, QoS: qos})
	}
	s.granted = kept
}

// rewind makes all asks wait to be sent again. When the server has not kept the
// session, those for what was granted come before them.
func (s *asks) rewind(kept bool) {
	var list []*ask
	if !kept {
		for _, g := range s.granted {
			list = append(list, &ask{filter: g.Filter, qos: g.QoS})
		}
	}
	for _, a := range s.list {
		if a.id = 0; a.result != nil || kept && !a.own {
			list = append(list, a)
		}
	}
	s.list = list
}

// fail settles all asks.
func (s *asks) fail(err error) {
	for _, a := range s.list {
		a.settle(err)
	}
	s.list = nil
}

// renewing tells whether a renewal was sent and is not answered.
func (s *asks) renewing() bool {
	for _, a := range s.list {
		if a.id != 0 && a.renewal() {
			return true
		}
	}
	return false
}

// failSent settles those that were sent. A renewal, for which nobody waits, is to be sent again, unless filters says
// that a topic filter may be to blame; then it is given up, and among those that are gone.
func (s *asks) failSent(err error, filters bool) (gone []string) {
	kept := s.list[:0]
	for _, a := range s.list {
		switch {
		case a.id == 0 || a.renewal() && !filters:
			kept = append(kept, a)
			continue
		case a.renewal():
			gone = append(gone, a.filter)
		}
		a.settle(err)
	}
	s.list = kept
	for _, filter := range gone {
		s.note(filter, false, 0)
	}
	return gone
}
