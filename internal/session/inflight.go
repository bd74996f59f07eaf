package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// outgoing is one message on its way out.
type outgoing struct {
	packet mqtt.Publish
	result chan error // takes one value; nobody may be waiting for it
}

// settle tells the result.
func (o *outgoing) settle(err error) {
	select {
	case o.result <- err:
	default:
	}
}

// inflight keeps the messages that go out: those that wait to be sent, and at QoS 1
// those that were sent and are not acknowledged, each in its order.
type inflight struct {
	max    int // messages kept in all
	queue  []*outgoing
	sent   []*outgoing
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
// receive maximum holds it back [MQTT-4.9.0-2]. A message at QoS 1 has its packet
// identifier then and waits for its acknowledgement.
func (f *inflight) next(receiveMaximum int) *outgoing {
	if len(f.queue) == 0 {
		return nil
	}
	o := f.queue[0]
	if o.packet.QoS > 0 {
		if len(f.sent) >= receiveMaximum {
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

// inUse looks among the sent ones and those that are to be sent again, which are
// at the front of the queue.
func (f *inflight) inUse(id uint16) bool {
	for _, o := range f.sent {
		if o.packet.PacketID == id {
			return true
		}
	}
	for _, o := range f.queue {
		if o.packet.PacketID == id {
			return true
		}
	}
	return false
}

// acknowledge takes out the message that PUBACK names; nil when there is none.
func (f *inflight) acknowledge(id uint16) *outgoing {
	for i, o := range f.sent {
		if o.packet.PacketID == id {
			f.sent = append(f.sent[:i], f.sent[i+1:]...)
			return o
		}
	}
	return nil
}

// drop takes o out wherever it is.
func (f *inflight) drop(o *outgoing) {
	f.queue = without(f.queue, o)
	f.sent = without(f.sent, o)
}

// forget takes o out when it was not sent yet: its caller no longer waits. What was
// sent stays until it is acknowledged.
func (f *inflight) forget(o *outgoing) { f.queue = without(f.queue, o) }

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
// that has not they are new, and sending them again keeps the promise of at least once.
func (f *inflight) rewind(sessionPresent bool) {
	for _, o := range f.sent {
		o.packet.Dup = sessionPresent
	}
	f.queue = append(f.sent, f.queue...)
	f.sent = nil
}

// waiting tells whether somebody's message is not acknowledged.
func (f *inflight) waiting() bool { return len(f.sent)+len(f.queue) > 0 }

// failSent settles the messages that were sent.
func (f *inflight) failSent(err error) {
	for _, o := range f.sent {
		o.settle(err)
	}
	f.sent = nil
}

// failAll settles every message.
func (f *inflight) failAll(err error) {
	f.failSent(err)
	for _, o := range f.queue {
		o.settle(err)
	}
	f.queue = nil
}
