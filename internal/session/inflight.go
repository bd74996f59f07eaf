package session

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// outgoing is one message on its way out.
type outgoing struct {
	packet  mqtt.Publish
	queued  time.Time  // by the wall clock, which its message expiry interval runs by
	expires time.Time  // not sent until then, it is not sent at all
	lapses  bool       // because of its message expiry interval
	taken   bool       // QoS 2: the server has taken it over; PUBREL is sent, PUBCOMP is awaited
	result  chan error // takes one value; nobody may be waiting for it; nil where tell is told
	tell    func(ticket int32, err error)
	ticket  int32 // of a message of Send, else 0
}

// settle tells the result.
func (o *outgoing) settle(err error) {
	if tell := o.tell; tell != nil {
		o.tell = nil
		tell(o.ticket, err)
		return
	}
	select {
	case o.result <- err:
	default:
	}
}

// sentMost is how many messages, and asksMost how many asks, may wait for their acknowledgement, so that
// there always is another packet identifier.
const (
	sentMost = 1 << 12
	asksMost = 1 << 10
)

// inflight keeps the messages that go out: those that wait to be sent, and at QoS 1
// and 2 those that were sent and are not acknowledged to the end, each in its order.
//
// What it promises while the server keeps the session: QoS 1 arrives at least once,
// QoS 2 exactly once. When the server has lost the session, what it had not
// acknowledged is sent anew, and may so arrive twice; a message at QoS 2 that it had
// taken over (PUBREC) counts as sent and is not.
type inflight struct {
	max    int // messages kept in all
	queue  []*outgoing
	sent   []*outgoing
	asks   asks
	lastID uint16
}

// add takes a message, or refuses it with QUEUE_FULL.
func (f *inflight) add(o *outgoing) error {
	if len(f.queue)+len(f.sent) >= f.max {
		return fault.New(fault.QueueFull, "too many messages wait to be sent")
	}
	f.queue = append(f.queue, o)
	return nil
}

// next takes the next message to be sent, nil when there is none or the server's
// receive maximum holds it back [MQTT-4.9.0-2]. A message at QoS 1 or 2 has its packet
// identifier then and waits for its acknowledgement. One that the server has taken
// over is not held back: it wants PUBREL only.
func (f *inflight) next(receiveMaximum int) *outgoing {
	if len(f.queue) == 0 {
		return nil
	}
	o := f.queue[0]
	if o.packet.QoS > 0 {
		if len(f.sent) >= min(receiveMaximum, sentMost) && !o.taken {
			return nil
		}
		if o.packet.PacketID == 0 {
			o.packet.PacketID = f.newID()
		}
		f.sent = append(f.sent, o)
	}
	f.queue[0] = nil
	f.queue = f.queue[1:]
	return o
}

// newID gives a packet identifier that is not in use [MQTT-2.2.1-3].
func (f *inflight) newID() uint16 {
	for {
		f.lastID++
		if f.lastID != 0 && !f.inUse(f.lastID) {
			return f.lastID
		}
	}
}

// inUse looks among the sent ones and those that are to be sent again.
func (f *inflight) inUse(id uint16) bool {
	return f.find(id) != nil || f.rewound(id) != nil || f.asks.find(id, false) != nil || f.asks.find(id, true) != nil
}

// find gives the message that was sent under a packet identifier, nil when there is none.
func (f *inflight) find(id uint16) *outgoing { return withID(f.sent, id) }

// rewound gives the one that is to be sent again under it; those are at the front of the queue.
func (f *inflight) rewound(id uint16) *outgoing { return withID(f.queue, id) }

// withID looks as far as messages have a packet identifier.
func withID(list []*outgoing, id uint16) *outgoing {
	for _, o := range list {
		switch o.packet.PacketID {
		case id:
			return o
		case 0:
			return nil
		}
	}
	return nil
}

// take notes that the server has taken the message over: its bytes are needed no more.
func (o *outgoing) take() {
	o.taken = true
	o.packet.Payload, o.packet.Properties = nil, mqtt.Properties{}
}

// end takes o out wherever it is and tells its result.
func (f *inflight) end(o *outgoing, err error) {
	f.drop(o)
	o.settle(err)
}

// drop takes o out wherever it is.
func (f *inflight) drop(o *outgoing) {
	f.queue = without(f.queue, o)
	if len(f.sent) > 0 && f.sent[0] == o { // as a rule
		f.sent[0] = nil
		f.sent = f.sent[1:]
		return
	}
	f.sent = without(f.sent, o)
}

// forget takes o out when it was never sent: its caller no longer waits. What was sent
// stays until it is acknowledged.
func (f *inflight) forget(o *outgoing) {
	if o.packet.PacketID == 0 {
		f.queue = without(f.queue, o)
	}
}

func without(list []*outgoing, o *outgoing) []*outgoing {
	for i := range list {
		if list[i] == o {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// rewind makes the sent messages the next ones again, in their order [MQTT-4.6.0-1].
// They carry DUP when the server has kept the session [MQTT-4.4.0-1]; to a server
// that has not they are new, and what it had taken over is done.
func (f *inflight) rewind(sessionPresent bool) {
	again := f.sent[:0]
	for _, o := range f.sent {
		if o.taken && !sessionPresent {
			o.settle(nil)
			continue
		}
		o.packet.Dup = sessionPresent
		again = append(again, o)
	}
	f.queue = append(again, f.queue...)
	f.sent = nil
}

// waiting tells whether somebody waits for an acknowledgement.
func (f *inflight) waiting() bool { return len(f.sent)+len(f.queue)+len(f.asks.list) > 0 }

// failSent settles the messages and asks that were sent, but for those that the server has
// taken over: they were no trouble to it, and it waits for their PUBREL. gone are the subscriptions that were
// granted once and end so.
func (f *inflight) failSent(err error, filters bool) (gone []string) {
	kept := f.sent[:0]
	for _, o := range f.sent {
		if o.taken {
			kept = append(kept, o)
		} else {
			o.settle(err)
		}
	}
	f.sent = kept
	return f.asks.failSent(err, filters)
}

// failAll settles every message and every ask.
func (f *inflight) failAll(err error) {
	for _, list := range [][]*outgoing{f.sent, f.queue} {
		for _, o := range list {
			o.settle(err)
		}
	}
	f.sent, f.queue = nil, nil
	f.asks.fail(err)
}
