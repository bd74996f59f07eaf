package mqtt

import (
	"bytes"

	"github.com/eclipse/paho.golang/packets"
)

// NewCodec makes the codec of version v. For a version without a codec the error is an
// *Error with reason UnsupportedProtocolVersion.
func NewCodec(v Version) (Codec, error) {
	if v != V5 {
		return nil, ruleVersion.broken(v)
	}
	return codec5{}, nil
}

// codec5 is MQTT 5 through paho.golang/packets. That decoder takes the sender's word:
// it accepts QoS 3, packet identifier 0, bad UTF-8 and properties that are there twice,
// and makes room for a declared length before the bytes are there. So it is only ever
// shown one whole packet that Check has passed, and Check sees all that it encodes.
type codec5 struct{}

func (codec5) Version() Version { return V5 }

func (codec5) Decode(pkt []byte, from Side) (Packet, error) {
	if err := Check(V5, from, pkt); err != nil {
		return nil, err
	}
	if PacketTypeOf(pkt) == DISCONNECT && len(pkt) == 2 {
		return &Disconnect{}, nil // the one short form that paho takes for an unexpected end
	}
	decoded, err := packets.ReadPacket(bytes.NewReader(pkt))
	if err != nil {
		return nil, &Error{Reason: ImplementationSpecificError, Msg: "a valid packet was not decoded: " + err.Error()}
	}
	if decoded.Type == packets.PUBLISH {
		return publishFrom5(decoded.Content.(*packets.Publish), from, pkt)
	}
	return packetFrom5(decoded), nil
}

// packetFrom5 converts what paho decoded, any packet but PUBLISH.
func packetFrom5(decoded *packets.ControlPacket) Packet {
	switch p := decoded.Content.(type) {
	case *packets.Connect:
		return connectFrom5(p)
	case *packets.Connack:
		return &Connack{p.SessionPresent, ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Puback:
		return &Ack{PUBACK, p.PacketID, ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Pubrec:
		return &Ack{PUBREC, p.PacketID, ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Pubrel:
		return &Ack{PUBREL, p.PacketID, ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Pubcomp:
		return &Ack{PUBCOMP, p.PacketID, ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Subscribe:
		return subscribeFrom5(p)
	case *packets.Suback:
		return &Suback{p.PacketID, reasonCodes(p.Reasons), propertiesFrom5(p.Properties)}
	case *packets.Unsubscribe:
		return &Unsubscribe{p.PacketID, p.Topics, propertiesFrom5(p.Properties)}
	case *packets.Unsuback:
		return &Unsuback{p.PacketID, reasonCodes(p.Reasons), propertiesFrom5(p.Properties)}
	case *packets.Disconnect:
		return &Disconnect{ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Auth:
		return &Auth{ReasonCode(p.ReasonCode), propertiesFrom5(p.Properties)}
	case *packets.Pingreq:
		return &Pingreq{}
	default:
		return &Pingresp{}
	}
}

func connectFrom5(p *packets.Connect) *Connect {
	c := &Connect{
		Version:     Version(p.ProtocolVersion),
		ClientID:    p.ClientID,
		HasUsername: p.UsernameFlag,
		Username:    p.Username,
		HasPassword: p.PasswordFlag,
		Password:    bytesOrNil(p.Password),
		KeepAlive:   p.KeepAlive,
		CleanStart:  p.CleanStart,
		Properties:  propertiesFrom5(p.Properties),
	}
	if p.WillFlag {
		c.Will = &Will{
			Topic:      p.WillTopic,
			Payload:    bytesOrNil(p.WillMessage),
			QoS:        p.WillQOS,
			Retain:     p.WillRetain,
			Properties: propertiesFrom5(p.WillProperties),
		}
	}
	return c
}

func subscribeFrom5(p *packets.Subscribe) *Subscribe {
	s := &Subscribe{PacketID: p.PacketID, Properties: propertiesFrom5(p.Properties)}
	for _, o := range p.Subscriptions {
		s.Subscriptions = append(s.Subscriptions, Subscription{o.Topic, o.QoS, o.NoLocal, o.RetainAsPublished, o.RetainHandling})
	}
	return s
}

// publishFrom5 converts a PUBLISH. paho keeps the last subscription identifier only, so
// they are read from the packet.
func publishFrom5(p *packets.Publish, from Side, pkt []byte) (Packet, error) {
	props := propertiesFrom5(p.Properties)
	if props.SubscriptionID != nil {
		view, err := ParsePublish(V5, from, pkt)
		if err != nil {
			return nil, err
		}
		props.SubscriptionID = subscriptionIDs(view.Properties)
	}
	return &Publish{
		Dup:        p.Duplicate,
		QoS:        p.QoS,
		Retain:     p.Retain,
		Topic:      p.Topic,
		PacketID:   p.PacketID,
		Payload:    bytesOrNil(p.Payload),
		Properties: props,
	}, nil
}

func subscriptionIDs(raw []byte) (ids []uint32) {
	for r := (reader{b: raw, v: V5}); len(r.b) > 0; {
		if p := r.property(); p.id == propSubscriptionID {
			ids = append(ids, p.number)
		}
	}
	return ids
}

func reasonCodes(b []byte) []ReasonCode {
	codes := make([]ReasonCode, len(b))
	for i, c := range b {
		codes[i] = ReasonCode(c)
	}
	return codes
}

// bytesOrNil makes empty data nil, whatever kind of empty it is.
func bytesOrNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}
