package session

import (
	"bytes"
	"strconv"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// chunk takes in what the reader brought.
func (l *loop) chunk(c chunk) {
	k := l.link
	if c.err != nil {
		l.lose(cause{kind: causeClosed, err: c.err})
		return
	}
	k.keep.heard(l.now())
	k.taken++
	whole := k.unread == 0 // otherwise the first packet began in an earlier chunk
	k.split.Feed(c.b)
	k.unread += len(c.b)
	for l.link == k { // a packet may end the connection
		pkt, err := k.split.Next()
		if err != nil {
			l.violated(err)
			return
		}
		if pkt == nil {
			return
		}
		k.unread -= max(len(pkt), k.split.Cut())
		if !whole {
			pkt, whole = bytes.Clone(pkt), true // the splitter's own memory, used again by the next Feed
		}
		l.packet(pkt)
	}
}

// packet takes in one packet.
func (l *loop) packet(pkt []byte) {
	if mqtt.PacketTypeOf(pkt) == mqtt.PUBLISH {
		l.message(pkt)
		return
	}
	if l.version != mqtt.V5 && mqtt.PacketTypeOf(pkt) == mqtt.DISCONNECT {
		// No server may send it before MQTT 5, and there are some that do.
		l.lose(cause{kind: causeClosed, err: &transport.CloseError{Reason: "DISCONNECT"}})
		return
	}
	p, err := l.codec.Decode(pkt, mqtt.FromServer)
	if err != nil {
		l.violated(err)
		return
	}
	if p, ok := p.(*mqtt.Connack); ok && l.machine.phase == phaseGreeting {
		l.connack(p)
		return
	}
	if _, auth := p.(*mqtt.Auth); auth {
		l.violate(mqtt.BadAuthenticationMethod, "MQTT-4.12.0-6", "AUTH came although CONNECT named no authentication method")
		return
	}
	if l.machine.phase == phaseGreeting {
		l.violate(mqtt.ProtocolError, "MQTT-3.2.0-1", "the first packet was not CONNACK")
		return
	}
	switch p := p.(type) {
	case *mqtt.Suback:
		l.suback(p)
	case *mqtt.Unsuback:
		l.unsuback(p)
	case *mqtt.Ack:
		l.ack(p)
	case *mqtt.Pingresp:
		l.link.ponged()
	case *mqtt.Disconnect:
		l.lose(cause{kind: causeDisconnect, reason: p.ReasonCode, text: words(&p.Properties)})
	default: // CONNACK again
		l.violate(mqtt.ProtocolError, "", "a packet came that nothing asked for")
	}
}

// message takes in PUBLISH, the short way: in place, without the machine.
func (l *loop) message(pkt []byte) {
	k := l.link
	large := k.split.Cut()
	if large > 0 {
		pkt = mqtt.Beginning(pkt)
	}
	view, err := mqtt.ParsePublish(l.version, mqtt.FromServer, pkt)
	switch {
	case err != nil:
		l.violated(err)
		return
	case l.machine.phase == phaseGreeting:
		l.violate(mqtt.ProtocolError, "MQTT-3.2.0-1", "the first packet was not CONNACK")
		return
	case view.Alias:
		l.violate(mqtt.TopicAliasInvalid, "MQTT-3.1.2-26", "a topic alias came although none is allowed")
		return
	}
	l.batch.gen = k.gen
	if qos := view.QoS(); qos > 0 {
		if k.unacked++; k.unacked > overrun*l.cfg.ReceiveMaximum && l.version == mqtt.V5 {
			l.violate(mqtt.ReceiveMaximumExceeded, "MQTT-3.3.4-9", "more messages came than the receive maximum allows")
			return
		}
		kind := mqtt.PUBACK
		if qos == 2 {
			kind = mqtt.PUBREC
		}
		l.batch.acks = append(l.batch.acks, receipt{kind, view.PacketID})
		if qos == 2 && l.duplicate(view) {
			return
		}
	}
	if large > 0 {
		l.courier.pass()
		l.step(passedOver{l.machine.gen, tooLarge(view, large, l.cfg.MaxPacket)})
		return
	}
	if id, ok := pushID(view.Properties); ok && l.seen.repeated(id, markOf(view.QoS() == 0)) {
		if view.QoS() > 0 && l.seen.isLoose(id) {
			waits := firm(l.batch.msgs, id) || l.courier.firm(id) // then it is handed over as one to be kept
			if !waits && l.firm != nil {
				l.firm(append(append([]byte(messageIDKey), 0, byte(len(id))), id...))
			}
		}
		return
	}
	if string(view.Topic) != l.topic {
		l.topic = string(view.Topic)
	}
	l.batch.msgs = append(l.batch.msgs, Message{
		Topic: l.topic, Payload: view.Payload, QoS: view.QoS(), Retain: view.Retain(), Dup: view.Dup(),
		PacketID: view.PacketID, Properties: view.Properties,
	})
}

// tooLarge is the error of a message that was passed over. Before MQTT 5 a broker cannot be told how large messages may be.
// Who refused one would get it again with each connection, before all others; so it is acknowledged, as
// a broker of MQTT 5 acts as if it had been (3.1.2.11.4), and the application is told.
func tooLarge(m mqtt.PublishView, size, most int) *fault.Error {
	e := fault.New(fault.PacketTooLarge, "a message to "+string(m.Topic)+" was passed over: its packet has "+strconv.Itoa(size)+
		" bytes, and "+strconv.Itoa(most)+" are accepted")
	e.Remedy = remedyLarge
	return e
}

// overrun is how many times the receive maximum may be in flight before that counts as a
// broken rule [MQTT-3.3.4-9]. Mosquitto 2.0.11 sends up to twice as many as it may when
// thousands wait, and again after each reconnection: who is strict gets all of them again
// and again. MaxBacklog bounds what is kept all the same.
const overrun = 4

// duplicate tells whether a message at QoS 2 was received before [MQTT-4.3.3-10]. Where
// it is not known whether the session is still the same, one without DUP is new.
func (l *loop) duplicate(view mqtt.PublishView) bool {
	return l.unreleased.add(view.PacketID) && (!l.claim.stale || view.Dup())
}

// connack takes in the server's answer to CONNECT.
func (l *loop) connack(p *mqtt.Connack) {
	l.claim.asked = false
	if p.ReasonCode != mqtt.Success {
		l.lose(refusedConnect(l.version, p))
		return
	}
	if p.SessionPresent && l.cfg.CleanStart {
		l.violate(mqtt.ProtocolError, "MQTT-3.2.2-2", "the server kept a session although a clean start was asked for")
		return
	}
	k, props := l.link, &p.Properties
	seconds := l.cfg.KeepAlive
	if props.ServerKeepAlive != nil {
		seconds = *props.ServerKeepAlive // [MQTT-3.2.2-21]
	}
	k.welcomed = l.now()
	k.keep.start(k.welcomed, seconds)
	kept := !l.cfg.CleanStart && (props.SessionExpiry == nil || *props.SessionExpiry > 0) // MQTT 5, 3.2.2.3.2
	if props.ReceiveMaximum != nil {
		k.server.receiveMaximum = int(*props.ReceiveMaximum)
	}
	if props.MaximumPacketSize != nil {
		k.server.maxPacket = int(min(*props.MaximumPacketSize, mqtt.MaxRemaining))
	}
	if props.MaximumQoS != nil {
		k.server.maxQoS = *props.MaximumQoS
	}
	k.server.noWildcard = props.WildcardSubAvailable != nil && *props.WildcardSubAvailable == 0
	k.server.noShared = props.SharedSubAvailable != nil && *props.SharedSubAvailable == 0
	if props.AssignedClientID != "" { // a server does so once: from then on it is asked for by that name
		l.assigned = props.AssignedClientID
	}
	k.server.noRetain = props.RetainAvailable != nil && *props.RetainAvailable == 0
	l.broker = &Broker{
		Protocol: int(l.version), SessionPresent: p.SessionPresent, KeepAlive: seconds, AssignedClientID: props.AssignedClientID,
		ServerReference: props.ServerReference, ReasonString: props.ReasonString, User: props.User,
	}
	l.step(welcomed{l.machine.gen, p.SessionPresent, kept})
}

// refusedConnect is the cause that a CONNACK gives which does not accept.
func refusedConnect(v mqtt.Version, p *mqtt.Connack) cause {
	c := cause{kind: causeConnack, reason: p.ReasonCode, text: words(&p.Properties)}
	if v != mqtt.V5 {
		c.returned, c.reason = int(p.ReasonCode), returnCodes[p.ReasonCode] // the codec lets none above 5 pass
	}
	return c
}

// words are what the server says beside a reason code.
func words(p *mqtt.Properties) string {
	s := p.ReasonString
	if p.ServerReference != "" {
		if s != "" {
			s += "; "
		}
		s += "server reference " + p.ServerReference
	}
	return s
}

// violated ends the connection because the server broke the protocol; err is an
// *mqtt.Error.
func (l *loop) violated(err error) {
	reason := mqtt.ProtocolError
	if e, ok := err.(*mqtt.Error); ok {
		reason = e.Reason
	}
	if reason == mqtt.UnsupportedProtocolVersion && l.machine.phase != phaseGreeting {
		reason = mqtt.ProtocolError // it has accepted this version
	}
	l.lose(cause{kind: causeViolation, reason: reason, err: err})
}

func (l *loop) violate(reason mqtt.ReasonCode, clause, msg string) {
	l.violated(&mqtt.Error{Reason: reason, Clause: clause, Msg: msg})
}
