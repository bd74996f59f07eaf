package kiiweb

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/session"
)

// Properties are the MQTT 5 properties of a message; on 3.x there are none.
type Properties = mqtt.Properties

// UserProperty is one of Properties.User.
type UserProperty = mqtt.UserProperty

// Message is one PUBLISH, received or to be sent.
type Message struct {
	Topic    string // to send: "" means the connection's own topic
	Payload  []byte // a push: the bytes of a JSON object
	QoS      byte   // 0 to 2
	Retain   bool
	Dup      bool   // received: sent by the broker before, perhaps received before
	PacketID uint16 // received at QoS 1 and 2, else 0

	properties []byte
	own        bool // properties are to be sent, too: they did not come with a message
	firm       bool // see Firm
}

// JSON decodes the payload as a JSON object; its numbers are float64. Anything else
// is BAD_RESPONSE: a push is an object.
func (m Message) JSON() (map[string]any, error) {
	object, err := decodeJSON(m.Payload)
	if err != nil {
		e := fault.Wrap(fault.BadResponse, "the message is no JSON object", err)
		e.Remedy = "Read Payload as it is: this message is no push of the cloud."
		return nil, e
	}
	return object, nil
}

// Properties decodes the message's MQTT 5 properties. They were checked when the
// message arrived, so an error, PROTOCOL_ERROR, is not expected.
func (m Message) Properties() (Properties, error) {
	p, err := mqtt.DecodeProperties(m.properties)
	if err != nil {
		return Properties{}, fault.Wrap(fault.ProtocolError, "the message's properties cannot be read", err)
	}
	return p, nil
}

// WithProperties gives m with properties to be sent: payload format, message expiry, content
// type, response topic, correlation data and user properties. Before MQTT 5 there is nothing
// to send them in, and they are left out. INVALID_ARGUMENT: they break the standard's rules,
// or are not a message's to have. A message that was received is sent without its properties
// unless they are given to it so: among them is the id by which repeats are known.
// The time that a message waits to be sent is taken off its expiry interval; Publish fails with
// TIMEOUT when that is over first.
func (m Message) WithProperties(p Properties) (Message, error) {
	raw, err := mqtt.EncodeProperties(&p)
	if err != nil {
		return m, fault.Wrap(fault.InvalidArgument, "the message's properties cannot be sent", err)
	}
	return m.WithRawProperties(raw), nil
}

// WithRawProperties is WithProperties for properties as RawProperties gives them. Publish
// checks them.
func (m Message) WithRawProperties(raw []byte) Message {
	m.properties, m.own = raw, true
	return m
}

// RawProperties gives the properties as they were on the wire, without their length
// (MQTT 5, 2.2.2.2); empty on 3.x. The slice must not be changed.
func (m Message) RawProperties() []byte { return m.properties }

// received turns a batch of the session's into what is handed out.
func received(batch []session.Message) []Message {
	out := make([]Message, len(batch))
	for i, m := range batch {
		out[i] = Message{
			Topic:      m.Topic,
			Payload:    m.Payload,
			QoS:        m.QoS,
			Retain:     m.Retain,
			Dup:        m.Dup,
			PacketID:   m.PacketID,
			properties: m.Properties,
			firm:       m.Firm,
		}
	}
	return out
}
