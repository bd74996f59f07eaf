package kiiweb

import (
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/session"
)

// Express is for this project's own loader, which hands out messages itself: what arrives
// comes the short way from now on, to the one that the loader calls receiver. firm, unless it is nil, is told of a push
// that the loader may have at QoS 0 when a repeat of it is to be acknowledged, by the end of the user property with its id, as
// it is on the wire: it must not be dropped any more.
func (conn *Connection) Express(receiver int32, firm func(property []byte)) {
	conn.session.Express(receiver, firm)
}

// Firm is for the loader, too: it tells of a message that a repeat of it is to be acknowledged, so that it must not be dropped.
func (m Message) Firm() bool { return m.firm }

// Send is for the loader, too: it does what Publish does for many messages, without waiting. They
// are staged as mqtt.ReadStaged reads them, and staged must not be changed any more; a
// topic without a name is the endpoint's. tell is told of each how it went, under its ticket;
// tickets count from first.
func (conn *Connection) Send(staged []byte, first int32, tell func(ticket int32, err error)) {
	var list []session.Message
	topic := ""
	for {
		m, size := mqtt.ReadStaged(staged)
		if size == 0 {
			break
		}
		staged = staged[size:]
		switch {
		case len(m.Topic) == 0:
			conn.mu.Lock()
			topic = conn.endpoint.MQTTTopic
			conn.mu.Unlock()
		case string(m.Topic) != topic:
			topic = string(m.Topic)
		}
		list = append(list, session.Message{Topic: topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain})
	}
	conn.session.Send(list, first, tell)
}

// Unseen is told of messages that the loader has dropped: should such a push come again, it is no repeat. list has their
// properties, each behind its length, four bytes, little endian; what is cut off at its end counts for nothing.
func (conn *Connection) Unseen(list []byte) {
	var properties [][]byte
	for len(list) >= 4 {
		size := uint64(list[0]) | uint64(list[1])<<8 | uint64(list[2])<<16 | uint64(list[3])<<24
		if list = list[4:]; size > uint64(len(list)) {
			break
		}
		properties = append(properties, list[:size])
		list = list[size:]
	}
	conn.session.Unseen(properties)
}

// Forget gives up a message of Send, if it was not sent yet; tell is not told of it.
func (conn *Connection) Forget(ticket int32) { conn.session.Forget(ticket) }
