package kiiweb

import "github.com/kiiweb/kiiweb/internal/session"

// Express is for this project's own loader, which hands out messages itself: what arrives
// comes the short way from now on, to the one that the loader calls receiver.
func (conn *Connection) Express(receiver int32) { conn.session.Express(receiver) }

// Send is for the loader, too: it does what Publish does for many messages, without waiting.
// tell is told of each how it went, under its ticket; tickets count from first. The
// payloads must not be changed any more.
func (conn *Connection) Send(messages []Message, first int32, tell func(ticket int32, err error)) {
	list := make([]session.Message, len(messages))
	for i, m := range messages {
		if m.Topic == "" {
			conn.mu.Lock()
			m.Topic = conn.endpoint.MQTTTopic
			conn.mu.Unlock()
		}
		list[i] = session.Message{Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain}
	}
	conn.session.Send(list, first, tell)
}

// Forget gives up a message of Send, if it was not sent yet; tell is not told of it.
func (conn *Connection) Forget(ticket int32) { conn.session.Forget(ticket) }
