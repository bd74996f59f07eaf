package engine

import (
	"strings"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
)

// hook ties the broker to the sessions. What the broker does of itself is answering
// CONNECT, SUBSCRIBE, UNSUBSCRIBE and PINGREQ and encoding packets; it routes nothing.
type hook struct {
	broker.HookBase
	maxPacket uint32
}

// sessionOf is the session behind a client of the broker.
func sessionOf(cl *broker.Client) *session {
	if c, ok := cl.Net.Conn.(*guardedConn); ok {
		return c.session
	}
	return nil
}

// guardedConn is the guard's connection, from which the session is found again.
type guardedConn struct {
	*guard.Conn
	session *session
}

func (*hook) ID() string { return "kiicloud" }

func (*hook) Provides(b byte) bool {
	switch b {
	case broker.OnConnectAuthenticate, broker.OnACLCheck, broker.OnPacketEncode,
		broker.OnSubscribe, broker.OnPacketProcessed, broker.OnUnsubscribed:
		return true
	}
	return false
}

// OnConnectAuthenticate lets in whom the guard let through: the session has checked the
// password, or the broker would not have seen the CONNECT.
func (*hook) OnConnectAuthenticate(cl *broker.Client, _ packets.Packet) bool {
	s := sessionOf(cl)
	return s != nil && s.delivery() != nil
}

// OnACLCheck keeps the broker from noting subscriptions: it would route nothing by them, and they
// would take memory. Which are granted is for OnSubscribe to say.
func (*hook) OnACLCheck(*broker.Client, string, bool) bool { return false }

// OnSubscribe decides on the filters one by one and notes the outcome for the SUBACK.
func (*hook) OnSubscribe(cl *broker.Client, pk packets.Packet) packets.Packet {
	s := sessionOf(cl)
	s.wanted = nil
	s.granted = s.granted[:0]
	for _, f := range pk.Filters {
		code := grant(s.topic, f)
		if code <= byte(mqtt.GrantedQoS1) {
			s.wanted = &subscription{qos: code, noLocal: f.NoLocal, identifier: f.Identifier}
		} else if s.conn.Version() < mqtt.V5 {
			code = byte(mqtt.UnspecifiedError) // 0x80, the only failure that 3.1.1 has
		}
		s.granted = append(s.granted, code)
	}
	return pk
}

// grant is the SUBACK code for one filter.
func grant(topic string, f packets.Subscription) byte {
	switch {
	case f.Filter == topic:
		return min(f.Qos, byte(mqtt.GrantedQoS1))
	case broker.IsSharedFilter(f.Filter):
		return byte(mqtt.SharedSubscriptionsNotSupported)
	case strings.ContainsAny(f.Filter, "+#"):
		return byte(mqtt.WildcardSubscriptionsNotSupported)
	default:
		return byte(mqtt.NotAuthorized)
	}
}

// OnPacketEncode corrects what the broker is about to say.
func (h *hook) OnPacketEncode(cl *broker.Client, pk packets.Packet) packets.Packet {
	switch pk.FixedHeader.Type {
	case packets.Connack:
		h.announce(&pk.Properties)
	case packets.Suback:
		pk.ReasonCodes = sessionOf(cl).granted
		pk.Properties.User = nil // the broker would echo the client's
	case packets.Unsuback:
		pk.ReasonCodes = sessionOf(cl).granted
		pk.Properties.User = nil
	}
	return pk
}

// announce adds to a CONNACK of MQTT 5 what the broker does not say of itself.
func (h *hook) announce(p *packets.Properties) {
	p.SessionExpiryInterval, p.SessionExpiryIntervalFlag = 0, true
	p.RetainAvailable, p.RetainAvailableFlag = 0, true
	p.WildcardSubAvailable, p.WildcardSubAvailableFlag = 0, true
	p.SharedSubAvailable, p.SharedSubAvailableFlag = 0, true
	p.MaximumPacketSize = h.maxPacket
}

// OnPacketProcessed starts the delivery once the SUBACK is out.
func (*hook) OnPacketProcessed(cl *broker.Client, pk packets.Packet, err error) {
	s := sessionOf(cl)
	if pk.FixedHeader.Type != packets.Subscribe || err != nil || s.wanted == nil {
		return
	}
	s.delivery().subscribe(*s.wanted)
}

// OnUnsubscribed halts the delivery before the UNSUBACK, and notes its codes.
func (*hook) OnUnsubscribed(cl *broker.Client, pk packets.Packet) {
	s := sessionOf(cl)
	s.granted = s.granted[:0]
	for _, f := range pk.Filters {
		code := byte(mqtt.NoSubscriptionExisted)
		if f.Filter == s.topic && s.delivery().unsubscribe() {
			code = byte(mqtt.Success)
		}
		s.granted = append(s.granted, code)
	}
}
