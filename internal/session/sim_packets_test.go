package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// packet takes a packet of the session's in; the error is a rule that it has broken.
func (p *peer) packet(pkt []byte) error {
	first := p.codec == nil
	if first {
		version, err := mqtt.ConnectVersion(pkt)
		if err != nil {
			return fmt.Errorf("the first packet is not CONNECT: %w", err)
		}
		if p.codec, err = mqtt.NewCodec(version); err != nil {
			return err
		}
	}
	decoded, err := p.codec.Decode(pkt, mqtt.FromClient)
	if err != nil {
		return err
	}
	p.b.w.note("  %d > %s", p.c.n, brief(decoded))
	connect, ok := decoded.(*mqtt.Connect)
	switch {
	case ok != first:
		return errors.New("CONNECT is not the first packet, or there are two")
	case ok:
		p.connect(connect)
		return nil
	case !p.accepted:
		return fmt.Errorf("%s before CONNACK", brief(decoded))
	case p.c.got < p.welcomed && p.minds():
		return nil
	case p.b.room > 0 && p.codec.Version() == mqtt.V5 && len(pkt) > p.b.room:
		return fmt.Errorf("a packet of %d bytes, and %d are allowed", len(pkt), p.b.room)
	}
	switch packet := decoded.(type) {
	case *mqtt.Subscribe:
		return p.subscribe(packet)
	case *mqtt.Unsubscribe:
		if err := p.takes(packet.PacketID, "UNSUBSCRIBE"); err != nil {
			return err
		}
		delete(p.b.session.filters, packet.Filters[0])
		done := &mqtt.Unsuback{PacketID: packet.PacketID}
		if p.codec.Version() == mqtt.V5 {
			done.ReasonCodes = []mqtt.ReasonCode{mqtt.Success}
		}
		p.tell(done)
		p.frees(packet.PacketID)
	case *mqtt.Publish:
		return p.publish(packet)
	case *mqtt.Ack:
		return p.ack(packet)
	case *mqtt.Pingreq:
		p.tell(&mqtt.Pingresp{})
	case *mqtt.Disconnect:
		p.c.endDown = &transport.CloseError{Code: 1000}
		p.leave()
	default:
		return fmt.Errorf("%s is not a client's", brief(decoded))
	}
	return nil
}

func (p *peer) connect(c *mqtt.Connect) {
	b, v := p.b, p.codec.Version()
	refused := func(v5 mqtt.ReasonCode, v3 byte) {
		if v != mqtt.V5 {
			v5 = mqtt.ReasonCode(v3)
		}
		p.tell(&mqtt.Connack{ReasonCode: v5})
		p.c.endDown = &transport.CloseError{Code: 1000}
		p.leave()
	}
	switch {
	case v > b.best:
		refused(mqtt.UnsupportedProtocolVersion, 1)
		return
	case b.refuse == mqtt.BadUserNameOrPassword:
		refused(b.refuse, 4)
		return
	case b.refuse == mqtt.NotAuthorized:
		refused(b.refuse, 5)
		return
	case b.refuse != mqtt.Success:
		refused(b.refuse, 3)
		return
	}
	if old := b.peer; old != nil {
		b.end(mqtt.SessionTakenOver, &transport.CloseError{Code: 1006})
		b.w.note("connection %d takes over from %d", p.c.n, old.c.n)
	}
	if k := b.session; c.CleanStart || k != nil && k.expiry >= 0 && b.w.nanos()-k.left >= k.expiry {
		b.forget()
	}
	present := b.session != nil
	if !present {
		b.session = &kept{filters: map[string]byte{}, received: map[uint16]string{}, arrived: map[string]bool{}, uses: map[uint16]*use{}}
	}
	for id, u := range b.session.uses {
		if u.what == "SUBSCRIBE" || u.what == "UNSUBSCRIBE" { // those end with their connection
			delete(b.session.uses, id)
		}
	}
	ack := &mqtt.Connack{SessionPresent: present && v != mqtt.V31}
	b.session.keep(v, c, b.keepsFor, ack)
	// Before MQTT 5 no more than the session bears in it: the broker may try that version next, and get what is in flight again.
	p.window, p.alive = min(8, overrun*b.w.cfg.ReceiveMaximum), int64(c.KeepAlive)*int64(time.Second)*3/2
	if v == mqtt.V5 {
		if c.Properties.ReceiveMaximum != nil {
			p.window = int(*c.Properties.ReceiveMaximum)
		}
		if c.Properties.MaximumPacketSize != nil {
			p.most = int(*c.Properties.MaximumPacketSize)
		}
		if b.quota > 0 {
			n := uint16(b.quota)
			ack.Properties.ReceiveMaximum = &n
		}
		if b.room > 0 {
			n := uint32(b.room)
			ack.Properties.MaximumPacketSize = &n
		}
		if b.keepAlive > 0 {
			ack.Properties.ServerKeepAlive = &b.keepAlive
			p.alive = int64(b.keepAlive) * int64(time.Second) * 3 / 2
		}
	}
	b.peer, p.accepted = p, true
	p.tell(ack)
	p.welcomed = p.said
	for _, m := range slices.Clone(b.session.flight) {
		if m.released {
			p.tell(&mqtt.Ack{Kind: mqtt.PUBREL, PacketID: m.id})
		} else {
			p.deliver(m, true)
		}
	}
	b.send()
}

func (p *peer) subscribe(s *mqtt.Subscribe) error {
	if err := p.takes(s.PacketID, "SUBSCRIBE"); err != nil {
		return err
	}
	f := s.Subscriptions[0]
	if p.b.deaf && f.Filter == "me" {
		return nil
	}
	code := mqtt.ReasonCode(f.QoS)
	if p.b.rude[f.Filter] {
		code = mqtt.UnspecifiedError
	} else {
		p.b.session.filters[f.Filter] = f.QoS
	}
	p.tell(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{code}})
	p.frees(s.PacketID)
	return nil
}

// takes notes a packet identifier that comes into use [MQTT-2.2.1-3].
func (p *peer) takes(id uint16, what string) error {
	uses := p.b.session.uses
	if u := uses[id]; u != nil && !u.free() && (u.what != what || u.on == p.c) {
		return fmt.Errorf("packet identifier %d is used for %s, and is still in use for %s", id, what, u.what)
	}
	uses[id] = &use{what: what, on: p.c}
	return nil
}

func (p *peer) frees(id uint16) {
	if u := p.b.session.uses[id]; u != nil {
		u.freed, u.on, u.at = true, p.c, p.said
	}
}

func (p *peer) publish(m *mqtt.Publish) error {
	name, k := string(m.Payload), p.b.session
	if m.QoS == 0 {
		p.b.w.noteArrived(name)
		return nil
	}
	if err := p.takes(m.PacketID, name); err != nil {
		return err
	}
	if m.Dup != k.arrived[name] && k.arrived[name] {
		return fmt.Errorf("%s comes again without DUP", name)
	}
	k.arrived[name] = true
	if p.b.quota > 0 && p.codec.Version() == mqtt.V5 {
		inUse := 0
		for _, u := range k.uses {
			if u.on == p.c && !u.free() && u.what != "SUBSCRIBE" && u.what != "UNSUBSCRIBE" {
				inUse++
			}
		}
		if inUse > p.b.quota {
			return fmt.Errorf("%d messages are in flight, and %d are allowed", inUse, p.b.quota)
		}
	}
	if m.QoS == 1 {
		p.b.w.noteArrived(name)
		p.tell(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: m.PacketID})
		p.frees(m.PacketID)
		return nil
	}
	if known, ok := k.received[m.PacketID]; !ok {
		k.received[m.PacketID] = name
		p.b.w.noteArrived(name)
	} else if known != name {
		return fmt.Errorf("%s comes under identifier %d, whose %s is not released", name, m.PacketID, known)
	}
	p.tell(&mqtt.Ack{Kind: mqtt.PUBREC, PacketID: m.PacketID})
	return nil
}

func (p *peer) ack(a *mqtt.Ack) error {
	k := p.b.session
	if a.Kind == mqtt.PUBREL {
		_, known := k.received[a.PacketID]
		if known && a.ReasonCode != mqtt.Success {
			return fmt.Errorf("PUBREL %d with %v, which is known", a.PacketID, a.ReasonCode)
		}
		delete(k.received, a.PacketID)
		p.tell(&mqtt.Ack{Kind: mqtt.PUBCOMP, PacketID: a.PacketID})
		p.frees(a.PacketID)
		return nil
	}
	m := k.inFlight(a.PacketID)
	if m == nil {
		return fmt.Errorf("%v %d acknowledges nothing", packetNames[a.Kind], a.PacketID)
	}
	if a.Kind != mqtt.PUBCOMP {
		if len(p.acks) == 0 || p.acks[0] != a.PacketID { // [MQTT-4.6.0-2]
			return fmt.Errorf("%v %d is out of turn: %v", packetNames[a.Kind], a.PacketID, p.acks)
		}
		p.acks = p.acks[1:]
		if err := p.b.w.acknowledged(m); err != nil {
			return err
		}
	}
	switch {
	case a.Kind == mqtt.PUBACK && m.qos == 1, a.Kind == mqtt.PUBCOMP && m.released:
		k.drop(m)
	case a.Kind == mqtt.PUBREC && m.qos == 2 && !m.released:
		m.released = true
		p.tell(&mqtt.Ack{Kind: mqtt.PUBREL, PacketID: m.id})
	default:
		return fmt.Errorf("%v %d does not fit %s", packetNames[a.Kind], a.PacketID, m.name)
	}
	p.b.send()
	return nil
}

// brief is a packet in a few words, for the log of a run.
func brief(p mqtt.Packet) string {
	switch p := p.(type) {
	case *mqtt.Publish:
		return fmt.Sprintf("PUBLISH %d qos %d dup %v %.8s", p.PacketID, p.QoS, p.Dup, p.Payload)
	case *mqtt.Ack:
		return fmt.Sprintf("%v %d %v", packetNames[p.Kind], p.PacketID, p.ReasonCode)
	case *mqtt.Subscribe:
		return fmt.Sprintf("SUBSCRIBE %d %s", p.PacketID, p.Subscriptions[0].Filter)
	case *mqtt.Connect:
		return fmt.Sprintf("CONNECT %v clean %v", p.Version, p.CleanStart)
	case *mqtt.Disconnect:
		return fmt.Sprintf("DISCONNECT %v", p.ReasonCode)
	}
	return packetNames[p.PacketType()]
}

var packetNames = [...]string{
	mqtt.CONNECT: "CONNECT", mqtt.CONNACK: "CONNACK", mqtt.PUBLISH: "PUBLISH", mqtt.PUBACK: "PUBACK", mqtt.PUBREC: "PUBREC",
	mqtt.PUBREL: "PUBREL", mqtt.PUBCOMP: "PUBCOMP", mqtt.SUBSCRIBE: "SUBSCRIBE", mqtt.SUBACK: "SUBACK", mqtt.UNSUBSCRIBE: "UNSUBSCRIBE",
	mqtt.UNSUBACK: "UNSUBACK", mqtt.PINGREQ: "PINGREQ", mqtt.PINGRESP: "PINGRESP", mqtt.DISCONNECT: "DISCONNECT", mqtt.AUTH: "AUTH",
}
