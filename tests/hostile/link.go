package hostile

import (
	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// link is one connection with a client. What the client sends has to be sound.
type link struct {
	b     *Broker
	wire  wire
	split *mqtt.Splitter
	codec mqtt.Codec // nil before CONNECT
}

// next gives the next packet; nil says that the client has ended the connection.
func (l *link) next() mqtt.Packet {
	for {
		pkt, err := l.split.Next()
		if !assert.NoError(l.b.t, err) {
			return nil
		}
		if pkt != nil {
			return l.decode(pkt)
		}
		chunk, err := l.wire.read()
		if err != nil {
			return nil
		}
		l.split.Feed(chunk)
	}
}

func (l *link) decode(pkt []byte) mqtt.Packet {
	if l.codec == nil {
		v, err := mqtt.ConnectVersion(pkt)
		assert.NoError(l.b.t, err)
		if l.codec, err = mqtt.NewCodec(v); !assert.NoError(l.b.t, err) {
			return nil
		}
	}
	p, err := l.codec.Decode(pkt, mqtt.FromClient)
	assert.NoError(l.b.t, err, "% x", pkt)
	return p
}

// send writes packets in one piece. A client may be gone: what it was to hear then does
// not matter.
func (l *link) send(packets ...mqtt.Packet) {
	var b []byte
	var err error
	for _, p := range packets {
		b, err = l.codec.Append(b, p)
		assert.NoError(l.b.t, err)
	}
	_ = l.wire.write(b)
}

// attack plays the first connection of a visit.
func (l *link) attack(v *Visit) {
	if v.Case.At == Greeting {
		if v.Version != mqtt.V31 { // there it waits for CONNACK
			_, ahead := l.next().(*mqtt.Subscribe)
			assert.True(l.b.t, ahead, "no SUBSCRIBE with CONNECT: %s", v.Case.Name)
		}
		l.breakRules(v, 1)
		l.listen(v)
		return
	}
	l.send(&mqtt.Connack{})
	subscribe, _ := l.next().(*mqtt.Subscribe)
	if !assert.NotNil(l.b.t, subscribe, "no SUBSCRIBE: %s", v.Case.Name) {
		return
	}
	if v.Case.At == Subscribing {
		l.breakRules(v, subscribe.PacketID)
		if v.Case.End != Kept {
			l.listen(v)
			return
		}
		l.grant(subscribe)
	} else {
		l.grant(subscribe)
		ready, _ := l.next().(*mqtt.Publish)
		if !assert.NotNil(l.b.t, ready, "no PUBLISH: %s", v.Case.Name) {
			return
		}
		l.breakRules(v, ready.PacketID)
		if v.Case.End != Kept {
			l.listen(v)
			return
		}
		l.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: ready.PacketID})
	}
	l.push(v)
	l.behave(v)
}

// breakRules sends the row's bytes.
func (l *link) breakRules(v *Visit, id uint16) {
	b := append([]byte(nil), v.Case.bytes...)
	if b == nil {
		b = parse(l.b.t, v.Case.Bytes, v.Version, id)
	}
	others := ^id & 0x4000               // the identifiers of the others do not come to id, which a client draws by lot
	for n := 2; n <= v.Case.Times; n++ { // the first one is in b
		b = append(b, parse(l.b.t, v.Case.Bytes, v.Version, uint16(n)|others)...)
	}
	switch {
	case v.Case.Text:
		_ = l.wire.writeText(b)
	case v.Case.Raw:
		_ = l.wire.writeRaw(b)
	case l.b.Drip && len(b) < 64:
		for i := range b {
			_ = l.wire.write(b[i : i+1])
		}
	default:
		_ = l.wire.write(b)
	}
	if v.Case.Cut {
		_ = l.wire.end()
	}
}

// listen notes what the client says until it has gone.
func (l *link) listen(v *Visit) {
	for p := l.next(); p != nil; p = l.next() {
		v.hear(p)
	}
}

func (l *link) grant(s *mqtt.Subscribe) {
	l.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.ReasonCode(s.Subscriptions[0].QoS)}})
}

// afterID is the packet identifier of the last message of a visit.
const afterID = 0x7001

func (l *link) push(v *Visit) {
	l.send(&mqtt.Publish{Topic: v.ClientID, QoS: 1, PacketID: afterID, Payload: []byte(After)})
}

// behave does what a broker does, until the client has gone.
func (l *link) behave(v *Visit) {
	for p := l.next(); p != nil; p = l.next() {
		switch p := p.(type) {
		case *mqtt.Subscribe:
			l.grant(p)
			l.push(v)
		case *mqtt.Publish:
			if assert.Equal(l.b.t, byte(1), p.QoS) {
				l.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
			}
		case *mqtt.Pingreq:
			l.send(&mqtt.Pingresp{})
		case *mqtt.Ack:
			switch {
			case p.Kind == mqtt.PUBACK && p.PacketID == afterID:
				v.acknowledge()
			case p.Kind == mqtt.PUBREC && p.ReasonCode < mqtt.UnspecifiedError:
				l.send(&mqtt.Ack{Kind: mqtt.PUBREL, PacketID: p.PacketID})
			}
		}
	}
}
