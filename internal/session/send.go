package session

import (
	"strings"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// outAhead is how many bytes may be encoded before the messages that follow stay in
// the queue, where they are counted.
const outAhead = 64 << 10

// encode puts a packet into the next write.
func (l *loop) encode(p mqtt.Packet) error {
	out, err := l.codec.Append(l.link.out, p)
	l.link.out = out
	return err
}

// send lets out what this turn led to, in one write.
func (l *loop) send() {
	k := l.link
	if k == nil {
		return
	}
	if l.flowing {
		l.sendAsks()
	}
	for l.flowing && len(k.out) < outAhead && !l.careful() {
		o := l.out.next(k.server.receiveMaximum)
		if o == nil {
			break
		}
		l.publish(o)
	}
	l.askDoubt()
	k.flush(l.now(), l.cfg.StageTimeout)
	l.watch()
}

// publish encodes a message, unless the server has said that it would not take it.
func (l *loop) publish(o *outgoing) {
	if o.taken {
		l.answer(mqtt.PUBREL, o.packet.PacketID, true)
		return
	}
	k := l.link
	err := k.server.allow(&o.packet)
	if err == nil {
		err = l.encodeMessage(o)
	}
	switch {
	case err != nil:
		l.out.end(o, err)
	case o.packet.QoS == 0:
		k.onWrite = append(k.onWrite, o)
		l.doubts()
	}
}

// encodeMessage is encodeWithin for a message, whose expiry interval is what is left of it.
func (l *loop) encodeMessage(o *outgoing) error {
	p := &o.packet
	if p.Properties.MessageExpiry != nil {
		left, ok := o.left(l.now())
		if !ok {
			return errLapsed()
		}
		now := o.packet // a copy, since it may be sent again
		now.Properties.MessageExpiry = &left
		p = &now
	}
	return l.encodeWithin(p, "the message")
}

// encodeWithin is encode for a packet of the application's making, in which the error
// calls it what; it may be larger than the server takes [MQTT-3.2.2-15].
func (l *loop) encodeWithin(p mqtt.Packet, what string) error {
	k, before := l.link, len(l.link.out)
	if err := l.encode(p); err != nil {
		return fault.Wrap(fault.InvalidArgument, what+" cannot be sent", err)
	}
	if limit := k.server.maxPacket; limit > 0 && len(k.out)-before > limit {
		k.out = k.out[:before]
		return fault.New(fault.PacketTooLarge, what+" is larger than the broker allows")
	}
	return nil
}

// allow tells whether the server takes messages of that kind.
func (s limits) allow(p *mqtt.Publish) error {
	switch {
	case p.QoS > s.maxQoS: // [MQTT-3.2.2-11]
		return fault.New(fault.Unsupported, "the broker does not take messages at this QoS")
	case p.Retain && s.noRetain: // [MQTT-3.2.2-14]
		return fault.New(fault.Unsupported, "the broker does not keep retained messages")
	}
	return nil
}

// allowFilter tells whether the server takes such a topic filter.
func (s limits) allowFilter(a *ask) error {
	switch {
	case a.off:
	case s.noWildcard && strings.ContainsAny(a.filter, "+#"):
		return fault.New(fault.Unsupported, "the broker has no wildcard subscriptions")
	case s.noShared && strings.HasPrefix(a.filter, "$share/"):
		return fault.New(fault.Unsupported, "the broker has no shared subscriptions")
	}
	return nil
}

// greet takes over the transport and sends CONNECT.
func (l *loop) greet(e greet) {
	l.release()
	l.link = newLink(e.gen, l.offered, l.version, l.cfg.MaxPacket, l.now())
	l.offered = nil
	l.express()
	if !l.lapsed(l.endpoint) {
		l.recheckExpiry(l.now())
	}
	p := &mqtt.Connect{
		Version:     l.version,
		ClientID:    l.clientID(),
		HasUsername: l.endpoint.Username != "",
		Username:    l.endpoint.Username,
		HasPassword: l.endpoint.Password != "",
		Password:    []byte(l.endpoint.Password),
		KeepAlive:   l.cfg.KeepAlive,
		CleanStart:  l.cfg.CleanStart,
	}
	if l.version == mqtt.V5 {
		receiveMaximum, maxPacket := uint16(l.cfg.ReceiveMaximum), uint32(l.cfg.MaxPacket)
		p.Properties.ReceiveMaximum, p.Properties.MaximumPacketSize = &receiveMaximum, &maxPacket
		p.Properties.User = l.cfg.User
		if l.cfg.SessionExpiry != 0 {
			p.Properties.SessionExpiry = &l.cfg.SessionExpiry
		}
	}
	l.claim.asks()
	l.must(l.encode(p))
	if e.ahead {
		l.link.own = l.askOwn()
	}
}

// clientID gives the endpoint's client identifier, or the one that the server assigned
// where the endpoint has none: by it the server knows its session [MQTT-3.2.2-16].
func (l *loop) clientID() string {
	if l.endpoint.ClientID == "" {
		return l.assigned
	}
	return l.endpoint.ClientID
}

// must ends the session when a packet made from the endpoint cannot be encoded.
func (l *loop) must(err error) {
	if err == nil {
		return
	}
	l.lose(cause{kind: causeEndpoint, err: fault.Wrap(fault.InvalidArgument, "the endpoint cannot be used", err)})
}

// newOutgoing checks a message and makes it ready to be queued. It copies what the
// caller may change afterwards.
func newOutgoing(m Message) (*outgoing, error) {
	m.Payload = append([]byte(nil), m.Payload...)
	o, err := outgoingOf(m)
	if err == nil {
		o.result = make(chan error, 1)
	}
	return o, err
}

// outgoingOf is newOutgoing for a payload that nobody changes, and without somebody who
// waits.
func outgoingOf(m Message) (*outgoing, error) {
	if !mqtt.ValidTopicName(m.Topic) {
		return nil, fault.New(fault.InvalidArgument, "the topic is not one to publish to")
	}
	if m.QoS > 2 {
		return nil, fault.New(fault.InvalidArgument, "the QoS of a message is 0, 1 or 2")
	}
	o := &outgoing{}
	o.packet = mqtt.Publish{Topic: m.Topic, QoS: m.QoS, Retain: m.Retain, Payload: m.Payload}
	if len(m.Properties) > 0 {
		props, err := mqtt.DecodeProperties(m.Properties)
		if err != nil {
			return nil, fault.Wrap(fault.InvalidArgument, "the message's properties are not MQTT 5 properties", err)
		}
		if props.TopicAlias != nil || props.SubscriptionID != nil { // [MQTT-3.3.4-6]; aliases are the connection's own
			return nil, fault.New(fault.InvalidArgument, "a message cannot carry a topic alias or a subscription identifier")
		}
		o.packet.Properties = props
	}
	return o, nil
}
