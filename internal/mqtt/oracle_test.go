package mqtt

import (
	"bytes"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// paho.golang/packets was written by other people from the same text, so it is asked for
// a second opinion on everything that Check passes. Where it is known to be wrong:
//
//   - it takes a DISCONNECT without a body for an unexpected end (pahoReads)
//   - of several subscription identifiers it keeps the last (pahoKeeps)
//   - encoding, it leaves most properties of a will out (pahoWrites)
//   - encoding, it writes an empty AUTH at length, which needs a method (pahoWrites)
//
// It is not asked about malformed packets: it accepts most of them.

// pahoReads tells whether paho can read pkt, which Check has passed.
func pahoReads(pkt []byte) bool { return PacketTypeOf(pkt) != DISCONNECT || len(pkt) > 2 }

// pahoKeeps takes from p what paho does not keep.
func pahoKeeps(p Packet) Packet {
	publish, ok := p.(*Publish)
	if !ok || len(publish.Properties.SubscriptionID) < 2 {
		return p
	}
	kept := *publish
	ids := kept.Properties.SubscriptionID
	kept.Properties.SubscriptionID = ids[len(ids)-1:]
	return &kept
}

// pahoWrites tells whether paho's encoder writes all of p, and as the standard wants it.
func pahoWrites(p Packet) bool {
	switch p := p.(type) {
	case *Connect:
		return p.Will == nil
	case *Auth:
		return p.Properties.AuthMethod != ""
	}
	return true
}

// requireAgreement demands of pkt, which Check passes, that paho reads what we read,
// that it reads from our bytes what we wrote, and that we read from its bytes what it
// wrote.
func requireAgreement(t *testing.T, codec Codec, from Side, pkt []byte) {
	t.Helper()
	if !pahoReads(pkt) {
		return
	}
	ours, err := codec.Decode(pkt, from)
	require.NoError(t, err)
	theirs, err := packets.ReadPacket(bytes.NewReader(pkt))
	require.NoError(t, err)
	require.Equal(t, pahoKeeps(ours), fromPaho(theirs))

	encoded, err := codec.Append(nil, ours)
	require.NoError(t, err)
	if pahoReads(encoded) {
		again, err := packets.ReadPacket(bytes.NewReader(encoded))
		require.NoError(t, err)
		require.Equal(t, pahoKeeps(ours), fromPaho(again))
	}

	if pahoWrites(ours) {
		var written bytes.Buffer
		_, err = theirs.WriteTo(&written)
		require.NoError(t, err)
		read, err := codec.Decode(written.Bytes(), from)
		require.NoError(t, err)
		require.Equal(t, pahoKeeps(ours), read)
	}
}

func TestPahoAgrees(t *testing.T) {
	codec := newCodec(t, V5)
	for _, c := range valid5 {
		t.Run(c.name, func(t *testing.T) { requireAgreement(t, codec, c.from, raw(t, c.bytes)) })
	}
}

// The deviations are real: when one of them goes, its exception can go.
func TestPahoDeviates(t *testing.T) {
	_, err := packets.ReadPacket(bytes.NewReader(raw(t, "E0 |")))
	require.Error(t, err, "DISCONNECT without a body")

	p, err := packets.ReadPacket(bytes.NewReader(raw(t, "30 | <t> { 0B 01 0B 02 }")))
	require.NoError(t, err)
	require.Equal(t, []uint32{2}, fromPaho(p).(*Publish).Properties.SubscriptionID, "two subscription identifiers")

	will := raw(t, "10 | <MQTT> 05 04 0000 { } <c> { 18 00000005 03 <text> } <w> <>")
	p, err = packets.ReadPacket(bytes.NewReader(will))
	require.NoError(t, err)
	var written bytes.Buffer
	_, err = p.WriteTo(&written)
	require.NoError(t, err)
	require.Less(t, written.Len(), len(will), "a will's content type")

	p, err = packets.ReadPacket(bytes.NewReader(raw(t, "F0 |")))
	require.NoError(t, err)
	written.Reset()
	_, err = p.WriteTo(&written)
	require.NoError(t, err)
	require.Equal(t, raw(t, "F0 | 00 { }"), written.Bytes(), "an empty AUTH")
}

// FuzzPaho: what Check passes, paho and we read and write alike.
func FuzzPaho(f *testing.F) {
	seed(f, func(v Version, from Side, pkt []byte) {
		if v == V5 {
			f.Add(byte(from), pkt)
		}
	})
	codec := newCodec(f, V5)
	f.Fuzz(func(t *testing.T, side byte, pkt []byte) {
		if from := Side(side & 1); Check(V5, from, pkt) == nil {
			requireAgreement(t, codec, from, pkt)
		}
	})
}

// fromPaho converts what paho read.
func fromPaho(decoded *packets.ControlPacket) Packet {
	switch p := decoded.Content.(type) {
	case *packets.Connect:
		return connectFromPaho(p)
	case *packets.Connack:
		return &Connack{p.SessionPresent, ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Publish:
		return &Publish{p.Duplicate, p.QoS, p.Retain, p.Topic, p.PacketID, bytesOrNil(p.Payload), propertiesFromPaho(p.Properties)}
	case *packets.Puback:
		return &Ack{PUBACK, p.PacketID, ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Pubrec:
		return &Ack{PUBREC, p.PacketID, ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Pubrel:
		return &Ack{PUBREL, p.PacketID, ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Pubcomp:
		return &Ack{PUBCOMP, p.PacketID, ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Subscribe:
		return subscribeFromPaho(p)
	case *packets.Suback:
		return &Suback{p.PacketID, reasonCodes(p.Reasons), propertiesFromPaho(p.Properties)}
	case *packets.Unsubscribe:
		return &Unsubscribe{p.PacketID, p.Topics, propertiesFromPaho(p.Properties)}
	case *packets.Unsuback:
		return &Unsuback{p.PacketID, reasonCodes(p.Reasons), propertiesFromPaho(p.Properties)}
	case *packets.Disconnect:
		return &Disconnect{ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Auth:
		return &Auth{ReasonCode(p.ReasonCode), propertiesFromPaho(p.Properties)}
	case *packets.Pingreq:
		return &Pingreq{}
	case *packets.Pingresp:
		return &Pingresp{}
	}
	return nil
}

func connectFromPaho(p *packets.Connect) *Connect {
	c := &Connect{
		Version:     Version(p.ProtocolVersion),
		ClientID:    p.ClientID,
		HasUsername: p.UsernameFlag,
		Username:    p.Username,
		HasPassword: p.PasswordFlag,
		Password:    bytesOrNil(p.Password),
		KeepAlive:   p.KeepAlive,
		CleanStart:  p.CleanStart,
		Properties:  propertiesFromPaho(p.Properties),
	}
	if p.WillFlag {
		c.Will = &Will{
			Topic:      p.WillTopic,
			Payload:    bytesOrNil(p.WillMessage),
			QoS:        p.WillQOS,
			Retain:     p.WillRetain,
			Properties: propertiesFromPaho(p.WillProperties),
		}
	}
	return c
}

func subscribeFromPaho(p *packets.Subscribe) *Subscribe {
	s := &Subscribe{PacketID: p.PacketID, Properties: propertiesFromPaho(p.Properties)}
	for _, o := range p.Subscriptions {
		s.Subscriptions = append(s.Subscriptions, Subscription{o.Topic, o.QoS, o.NoLocal, o.RetainAsPublished, o.RetainHandling})
	}
	return s
}

// propertiesFromPaho converts properties that paho decoded.
func propertiesFromPaho(p *packets.Properties) Properties {
	props := Properties{
		PayloadFormat:        p.PayloadFormat,
		MessageExpiry:        p.MessageExpiry,
		ContentType:          p.ContentType,
		ResponseTopic:        p.ResponseTopic,
		CorrelationData:      bytesOrNil(p.CorrelationData),
		SessionExpiry:        p.SessionExpiryInterval,
		AssignedClientID:     p.AssignedClientID,
		ServerKeepAlive:      p.ServerKeepAlive,
		AuthMethod:           p.AuthMethod,
		AuthData:             bytesOrNil(p.AuthData),
		RequestProblemInfo:   p.RequestProblemInfo,
		WillDelay:            p.WillDelayInterval,
		RequestResponseInfo:  p.RequestResponseInfo,
		ResponseInfo:         p.ResponseInfo,
		ServerReference:      p.ServerReference,
		ReasonString:         p.ReasonString,
		ReceiveMaximum:       p.ReceiveMaximum,
		TopicAliasMaximum:    p.TopicAliasMaximum,
		TopicAlias:           p.TopicAlias,
		MaximumQoS:           p.MaximumQOS,
		RetainAvailable:      p.RetainAvailable,
		MaximumPacketSize:    p.MaximumPacketSize,
		WildcardSubAvailable: p.WildcardSubAvailable,
		SubIDAvailable:       p.SubIDAvailable,
		SharedSubAvailable:   p.SharedSubAvailable,
	}
	if p.SubscriptionIdentifier != nil {
		props.SubscriptionID = []uint32{uint32(*p.SubscriptionIdentifier)}
	}
	for _, u := range p.User {
		props.User = append(props.User, UserProperty{u.Key, u.Value})
	}
	return props
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
