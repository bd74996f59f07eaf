package engine

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
)

// run answers what the guard lets through, until the connection ends. It never panics.
func (s *session) run() (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.e.log.Error("panic in a connection", "panic", p, "stack", string(debug.Stack()))
			err = errors.New("panic in a connection")
		}
	}()
	for {
		pkt, err := s.conn.Next()
		if err == nil {
			err = s.answer(pkt)
		}
		if err != nil {
			return err
		}
	}
}

// answer answers one packet.
func (s *session) answer(pkt []byte) error {
	switch mqtt.PacketTypeOf(pkt) {
	case mqtt.CONNECT:
		return s.write(s.welcome())
	case mqtt.PINGREQ:
		return s.write(&mqtt.Pingresp{})
	}
	codec, err := mqtt.NewCodec(s.conn.Version())
	if err != nil {
		return err
	}
	p, err := codec.Decode(pkt, mqtt.FromClient)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *mqtt.Subscribe:
		return s.subscribe(p)
	case *mqtt.Unsubscribe:
		return s.unsubscribe(p)
	default:
		return fmt.Errorf("the guard has let %T through", p)
	}
}

// welcome is the CONNACK: there is never a session, since what waits for the client is in its
// installation's queue. On MQTT 5 it says what the client need not try.
func (s *session) welcome() *mqtt.Connack {
	ack := &mqtt.Connack{}
	if s.conn.Version() < mqtt.V5 {
		return ack
	}
	no, qos, expiry, receive, size := byte(0), byte(1), uint32(0), uint16(DefaultWindow), uint32(s.e.limits.MaxPacket)
	ack.Properties = mqtt.Properties{
		SessionExpiry: &expiry, ReceiveMaximum: &receive, MaximumQoS: &qos, MaximumPacketSize: &size,
		RetainAvailable: &no, WildcardSubAvailable: &no, SharedSubAvailable: &no,
	}
	return ack
}

// subscribe decides on the filters one by one, and starts the delivery once the SUBACK is out. Under
// a subscription that this one replaces nothing is sent any more then [MQTT-3.8.4-3].
func (s *session) subscribe(p *mqtt.Subscribe) error {
	ack := &mqtt.Suback{PacketID: p.PacketID}
	var wanted *subscription
	for _, f := range p.Subscriptions {
		code := grant(s.topic, f)
		if code <= mqtt.GrantedQoS1 {
			wanted = &subscription{qos: byte(code), noLocal: f.NoLocal}
			for _, id := range p.Properties.SubscriptionID {
				wanted.identifier = id
			}
		} else if s.conn.Version() < mqtt.V5 {
			code = mqtt.UnspecifiedError // 0x80, the only failure that 3.1.1 has
		}
		ack.ReasonCodes = append(ack.ReasonCodes, code)
	}
	if wanted != nil {
		s.delivery().unsubscribe()
	}
	if err := s.write(ack); err != nil {
		return err
	}
	if wanted != nil {
		s.delivery().subscribe(*wanted)
	}
	return nil
}

// grant is the SUBACK code for one filter.
func grant(topic string, f mqtt.Subscription) mqtt.ReasonCode {
	switch {
	case f.Filter == topic:
		return min(mqtt.ReasonCode(f.QoS), mqtt.GrantedQoS1)
	case strings.HasPrefix(f.Filter, "$share/"):
		return mqtt.SharedSubscriptionsNotSupported
	case strings.ContainsAny(f.Filter, "+#"):
		return mqtt.WildcardSubscriptionsNotSupported
	default:
		return mqtt.NotAuthorized
	}
}

// unsubscribe halts the delivery before the UNSUBACK.
func (s *session) unsubscribe(p *mqtt.Unsubscribe) error {
	ack := &mqtt.Unsuback{PacketID: p.PacketID}
	for _, filter := range p.Filters {
		code := mqtt.NoSubscriptionExisted
		if filter == s.topic && s.delivery().unsubscribe() {
			code = mqtt.Success
		}
		if s.conn.Version() == mqtt.V5 {
			ack.ReasonCodes = append(ack.ReasonCodes, code)
		}
	}
	return s.write(ack)
}

// write sends an answer. A client that cannot take it in cannot be served.
func (s *session) write(p mqtt.Packet) error {
	b, err := s.encode(nil, p)
	if errors.Is(err, errTooLarge) {
		s.end(&guard.Refusal{Code: mqtt.PacketTooLarge, Reason: "the client's maximum packet size is too small for the answer"})
	}
	if err == nil {
		_, err = s.conn.Write(b)
	}
	return err
}

// encode writes p behind dst, in the client's version. The error is errTooLarge when the client
// does not admit it [MQTT-3.1.2-24].
func (s *session) encode(dst []byte, p mqtt.Packet) ([]byte, error) {
	codec, err := mqtt.NewCodec(s.conn.Version())
	if err != nil {
		return dst, err
	}
	b, err := codec.Append(dst, p)
	if limit := s.conn.MaxPacket(); err == nil && limit > 0 && len(b)-len(dst) > limit {
		return dst, errTooLarge
	}
	return b, err
}
