package guardtest

import (
	"encoding/binary"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Packets without content.
var (
	Pingreq    = []byte{byte(mqtt.PINGREQ) << 4, 0}
	Disconnect = []byte{byte(mqtt.DISCONNECT) << 4, 0}
)

// Frame puts a fixed header before body.
func Frame(first byte, body ...[]byte) []byte {
	var all []byte
	for _, b := range body {
		all = append(all, b...)
	}
	n := len(all)
	p := []byte{first}
	for n >= 0x80 {
		p = append(p, byte(n)|0x80)
		n >>= 7
	}
	return append(append(p, byte(n)), all...)
}

// Text is s as an MQTT string or binary data.
func Text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

func props(v mqtt.Version, raw []byte) []byte {
	if v != mqtt.V5 {
		return nil
	}
	return Frame(0, raw)[1:] // a length before raw
}

// Hello is a CONNECT in the making.
type Hello struct {
	ClientID, Username, Password string
	KeepAlive                    uint16
	Session                      bool   // clean start, or clean session, off
	Properties                   []byte // raw, MQTT 5
	WillTopic, WillPayload       string
	WillFlags                    byte // QoS and retain, as in the connect flags
}

// Connect is the CONNECT for h in version v.
func Connect(v mqtt.Version, h Hello) []byte {
	name, flags := "MQTT", byte(0)
	if v == mqtt.V31 {
		name = "MQIsdp"
	}
	if !h.Session {
		flags |= 0x02
	}
	payload := Text(h.ClientID)
	if h.WillTopic != "" {
		flags |= 0x04 | h.WillFlags
		payload = append(payload, props(v, nil)...)
		payload = append(payload, Text(h.WillTopic)...)
		payload = append(payload, Text(h.WillPayload)...)
	}
	if h.Username != "" {
		flags |= 0x80
		payload = append(payload, Text(h.Username)...)
	}
	if h.Password != "" {
		flags |= 0x40
		payload = append(payload, Text(h.Password)...)
	}
	return Frame(byte(mqtt.CONNECT)<<4, Text(name), []byte{byte(v), flags, byte(h.KeepAlive >> 8), byte(h.KeepAlive)},
		props(v, h.Properties), payload)
}

// Filter is a topic filter with its options byte.
type Filter struct {
	Topic   string
	Options byte
}

// Subscribe is a SUBSCRIBE with raw properties.
func Subscribe(v mqtt.Version, packetID uint16, raw []byte, filters ...Filter) []byte {
	var list []byte
	for _, f := range filters {
		list = append(append(list, Text(f.Topic)...), f.Options)
	}
	return Frame(byte(mqtt.SUBSCRIBE)<<4|2, id(packetID), props(v, raw), list)
}

// Unsubscribe is an UNSUBSCRIBE of one filter.
func Unsubscribe(v mqtt.Version, packetID uint16, filter string) []byte {
	return Frame(byte(mqtt.UNSUBSCRIBE)<<4|2, id(packetID), props(v, nil), Text(filter))
}

// Publish is a PUBLISH. flags are the low four bits of the first byte.
func Publish(v mqtt.Version, flags byte, packetID uint16, topic string, raw []byte, payload string) []byte {
	var pid []byte
	if flags&0x06 != 0 {
		pid = id(packetID)
	}
	return Frame(byte(mqtt.PUBLISH)<<4|flags, Text(topic), pid, props(v, raw), []byte(payload))
}

// Puback is a PUBACK of success, in the form that every version has.
func Puback(packetID uint16) []byte { return Frame(byte(mqtt.PUBACK)<<4, id(packetID)) }

func id(packetID uint16) []byte { return binary.BigEndian.AppendUint16(nil, packetID) }

// Packet is one whole packet of a server, valid by the standard.
type Packet struct {
	Version mqtt.Version
	Bytes   []byte
}

// Type is its control packet type.
func (p Packet) Type() mqtt.Type { return mqtt.PacketTypeOf(p.Bytes) }

// body is what follows the fixed header.
func (p Packet) body() []byte {
	n := 1
	for p.Bytes[n]&0x80 != 0 {
		n++
	}
	return p.Bytes[n+1:]
}

// Code is the reason code, or return code, of CONNACK, PUBACK or DISCONNECT; for SUBACK
// and UNSUBACK that of the last filter.
func (p Packet) Code() mqtt.ReasonCode {
	b := p.body()
	switch {
	case p.Type() == mqtt.CONNACK:
		return mqtt.ReasonCode(b[1])
	case p.Type() == mqtt.PUBACK && len(b) > 2:
		return mqtt.ReasonCode(b[2])
	case p.Type() == mqtt.DISCONNECT && len(b) > 0:
		return mqtt.ReasonCode(b[0])
	case p.Type() == mqtt.SUBACK || p.Type() == mqtt.UNSUBACK:
		return mqtt.ReasonCode(b[len(b)-1])
	}
	return mqtt.Success
}

// Codes are the codes of a SUBACK or UNSUBACK, one for each filter.
func (p Packet) Codes(filters int) []byte {
	b := p.body()
	return b[len(b)-filters:]
}

// PacketID is the packet identifier of SUBACK, UNSUBACK or PUBACK.
func (p Packet) PacketID() uint16 { return binary.BigEndian.Uint16(p.body()) }

// Publish is the PUBLISH; p must be one.
func (p Packet) Publish() mqtt.PublishView {
	v, err := mqtt.ParsePublish(p.Version, mqtt.FromServer, p.Bytes)
	if err != nil {
		panic(err) // a Client checks what it receives
	}
	return v
}

// Properties are the MQTT 5 properties of CONNACK, PUBLISH, PUBACK or DISCONNECT.
func (p Packet) Properties() mqtt.Properties {
	b := p.body()
	switch p.Type() {
	case mqtt.PUBLISH:
		return decode(p.Publish().Properties)
	case mqtt.CONNACK, mqtt.SUBACK:
		b = b[2:]
	case mqtt.PUBACK:
		b = b[min(3, len(b)):]
	case mqtt.DISCONNECT:
		b = b[min(1, len(b)):]
	}
	if p.Version != mqtt.V5 || len(b) == 0 {
		return mqtt.Properties{}
	}
	n, size := binary.Uvarint(b)
	return decode(b[size : size+int(n)])
}

func decode(raw []byte) mqtt.Properties {
	props, err := mqtt.DecodeProperties(raw)
	if err != nil {
		panic(err) // a Client checks what it receives
	}
	return props
}
