package guard

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// admit decides on one packet: it returns it when it is for the engine, nothing when the
// packet was dealt with here, or an error when the connection ends.
func (c *Conn) admit(pkt []byte) ([]byte, error) {
	if c.clientID == "" {
		return c.admitConnect(pkt)
	}
	if err := mqtt.Check(c.Version(), mqtt.FromClient, pkt); err != nil {
		return nil, c.broken(err)
	}
	switch mqtt.PacketTypeOf(pkt) {
	case mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE, mqtt.PINGREQ:
		return pkt, nil
	case mqtt.PUBLISH:
		return nil, c.publish(pkt)
	case mqtt.PUBACK:
		return nil, c.acknowledge(pkt)
	case mqtt.DISCONNECT:
		c.End(&Refusal{mqtt.Success, "the client disconnected"})
		return nil, io.EOF
	case mqtt.CONNECT:
		return nil, c.refuse(mqtt.ProtocolError, "CONNECT was sent twice") // [MQTT-3.1.0-2]
	case mqtt.AUTH:
		return nil, c.refuse(mqtt.ProtocolError, "no authentication method was agreed on") // [MQTT-4.12.0-6]
	default:
		return nil, c.refuse(mqtt.ProtocolError, "there is no QoS 2 exchange that this packet belongs to")
	}
}

// admitConnect decides on the first packet of a connection.
func (c *Conn) admitConnect(pkt []byte) ([]byte, error) {
	if mqtt.PacketTypeOf(pkt) != mqtt.CONNECT { // [MQTT-3.1.0-1]
		return nil, c.refuse(mqtt.ProtocolError, "the first packet is not CONNECT")
	}
	v, err := mqtt.ConnectVersion(pkt)
	if err != nil {
		return nil, c.refuseVersion(err)
	}
	conn, err := mqtt.ParseConnect(pkt)
	if err != nil {
		return nil, c.refuseBrokenConnect(v, err)
	}
	c.learn(conn)
	c.version.Store(uint32(v)) // who sees it may look at what was learnt
	r := allowConnect(conn)
	if r == nil {
		r = c.h.Connect(conn)
	}
	if r != nil {
		return nil, c.refuseConnect(v, r)
	}
	c.clientID = conn.ClientID
	return pkt, c.wait()
}

// learn keeps what the CONNECT says about the rest of the connection.
func (c *Conn) learn(conn *mqtt.Connect) {
	c.patience = time.Duration(conn.KeepAlive) * time.Second * 3 / 2
	if m := conn.Properties.MaximumPacketSize; m != nil {
		c.maxPacket = int(*m)
	}
	if p := conn.Properties.RequestProblemInfo; p != nil {
		c.problems = *p != 0
	}
}

// allowConnect refuses what no CONNECT may ask of a push cloud.
func allowConnect(conn *mqtt.Connect) *Refusal {
	switch {
	case conn.ClientID == "":
		return &Refusal{mqtt.ClientIdentifierNotValid, "the client identifier must be the endpoint's mqttTopic"}
	case conn.Properties.AuthMethod != "":
		return &Refusal{mqtt.BadAuthenticationMethod, "only user name and password are supported"}
	case conn.Will == nil:
		return nil
	case conn.Will.Retain:
		return &Refusal{mqtt.RetainNotSupported, "retained messages are not supported, nor are wills"}
	case conn.Will.QoS > 1:
		return &Refusal{mqtt.QoSNotSupported, "QoS 2 is not supported, nor are wills"}
	default:
		return &Refusal{mqtt.ImplementationSpecificError, "wills are not supported"}
	}
}

// publish takes a PUBLISH, answers it, which goes no further.
func (c *Conn) publish(pkt []byte) error {
	p, err := mqtt.ParsePublish(c.Version(), mqtt.FromClient, pkt)
	if err != nil {
		return c.broken(err)
	}
	switch { // what was announced in CONNACK is not negotiable
	case p.QoS() > 1:
		return c.refuse(mqtt.QoSNotSupported, "QoS 2 is not supported")
	case p.Retain():
		return c.refuse(mqtt.RetainNotSupported, "retained messages are not supported")
	}
	props, err := mqtt.DecodeProperties(p.Properties)
	if err != nil {
		return c.broken(err)
	}
	if props.TopicAlias != nil { // [MQTT-3.3.2-9]: the server's maximum is 0
		return c.refuse(mqtt.TopicAliasInvalid, "topic aliases are not supported")
	}
	r := c.allowPublish(p, props)
	if r == nil {
		r = c.h.Publish(p)
	}
	switch {
	case r == nil && p.QoS() == 0:
		return nil
	case r == nil:
		return c.answer(puback(c.Version(), p.PacketID, mqtt.Success, ""))
	case c.Version() == mqtt.V5 && p.QoS() == 1:
		return c.answer(c.failedPuback(p.PacketID, r))
	default: // no way to tell it but to close [MQTT-3.3.5-2 of 3.1.1]
		c.End(r)
		return errEnded
	}
}

// allowPublish refuses a message that could not be delivered as it is.
func (c *Conn) allowPublish(p mqtt.PublishView, props mqtt.Properties) *Refusal {
	switch {
	case string(p.Topic) != c.clientID:
		return &Refusal{mqtt.NotAuthorized, "a client may publish to its own topic only"}
	case len(p.Payload) > c.lim.MaxPayload:
		return &Refusal{mqtt.QuotaExceeded, "a push is at most " + strconv.Itoa(c.lim.MaxPayload) + " bytes"}
	case props.PayloadFormat != nil, props.ContentType != "", props.ResponseTopic != "",
		props.CorrelationData != nil, len(props.User) > 0:
		return &Refusal{mqtt.ImplementationSpecificError, "a push carries no property but its message expiry"}
	default:
		return nil
	}
}

// failedPuback is the PUBACK that refuses a message (MQTT 5).
func (c *Conn) failedPuback(packetID uint16, r *Refusal) []byte {
	short := puback(mqtt.V5, packetID, r.Code, "")
	if !c.problems { // [MQTT-3.1.2-29]
		return short
	}
	return c.fit(puback(mqtt.V5, packetID, r.Code, r.Reason), short)
}

// acknowledge hands a PUBACK to the Handler, which alone knows what was sent. A PUBACK with
// a failure code ends the exchange as well [MQTT-4.3.2-5].
func (c *Conn) acknowledge(pkt []byte) error {
	a, err := mqtt.ParseAck(c.Version(), pkt)
	if err != nil {
		return c.broken(err)
	}
	c.h.Acknowledge(a.PacketID)
	return nil
}

// answer sends a packet of the guard's own.
func (c *Conn) answer(b []byte) error {
	_, err := c.Write(b)
	return err
}

// refuse ends the connection for what the client did.
func (c *Conn) refuse(code mqtt.ReasonCode, reason string) error {
	c.End(&Refusal{code, reason})
	return errEnded
}

// broken ends the connection for a packet that breaks the standard.
func (c *Conn) broken(err error) error {
	return c.refuse(reasonOf(err), err.Error())
}

func reasonOf(err error) mqtt.ReasonCode {
	var e *mqtt.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return mqtt.MalformedPacket
}

// refuseConnect answers a CONNECT with the refusal and ends the connection.
func (c *Conn) refuseConnect(v mqtt.Version, r *Refusal) error {
	_ = c.answer(c.fit(connackRefused(v, r), connackRefused(v, &Refusal{Code: r.Code})))
	c.End(r)
	return errEnded
}

// refuseBrokenConnect ends a connection whose CONNECT breaks the standard. MQTT 5 has an
// answer to that [MQTT-3.1.4-1]; 3.x has one for the client identifier alone
// [MQTT-3.1.3-9 of 3.1.1] and else closes.
func (c *Conn) refuseBrokenConnect(v mqtt.Version, err error) error {
	r := &Refusal{reasonOf(err), err.Error()}
	if v == mqtt.V5 || r.Code == mqtt.ClientIdentifierNotValid {
		return c.refuseConnect(v, r)
	}
	c.End(r)
	return errEnded
}

// refuseVersion answers a CONNECT of an unknown protocol: in the form of 3.1.1, return
// code 1, which tells every client to try another version [MQTT-3.1.2-2].
func (c *Conn) refuseVersion(err error) error {
	if reasonOf(err) != mqtt.UnsupportedProtocolVersion {
		return c.broken(err)
	}
	return c.refuseConnect(mqtt.V311, &Refusal{mqtt.UnsupportedProtocolVersion, err.Error()})
}
