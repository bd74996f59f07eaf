package session

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// outcome is all that the two ways must have in common.
type outcome struct {
	msgs []Message
	sent []mqtt.Packet
	last []State
	code string
}

// traffic makes frames of the fuzzer's bytes: packets that are sound or not, whole or cut.
type traffic struct {
	b      []byte
	encode func(...mqtt.Packet) []byte
	v5     bool // pushes have their identifiers
}

func (c *traffic) byte() byte {
	if len(c.b) == 0 {
		return 0
	}
	n := c.b[0]
	c.b = c.b[1:]
	return n
}

func (c *traffic) packet() []byte {
	kind, id := c.byte(), uint16(c.byte()%16)+1
	topic := string(rune('a' + c.byte()%3))
	p := &mqtt.Publish{Topic: topic, Payload: []byte{byte(id)}, Retain: kind&64 != 0}
	switch kind % 16 {
	case 0, 1, 2, 3:
	case 4, 5, 6:
		p.QoS, p.PacketID = 1, id
	case 7:
		p.QoS, p.PacketID = 2, id
	case 8, 9:
		marked(p, topic+string(rune('0'+id%4)))
	case 10:
		p.QoS, p.PacketID, p.Dup = 1, id, true
		marked(p, topic)
	case 11:
		return c.encode(&mqtt.Pingresp{})
	case 12:
		return c.encode(&mqtt.Ack{Kind: mqtt.PUBREL, PacketID: id})
	case 13:
		return c.encode(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
	case 14:
		p.Payload = make([]byte, int(id)*20)
	case 15: // something in it is wrong, perhaps
		b := c.encode(p)
		b[int(id)%len(b)] ^= c.byte()
		return b
	}
	if !c.v5 {
		p.Properties = mqtt.Properties{}
	}
	return c.encode(p)
}

// frames makes all frames. Some end inside a packet.
func (c *traffic) frames() (frames [][]byte) {
	var rest []byte
	for len(c.b) > 0 && len(frames) < 24 {
		how := c.byte()
		for range how%4 + 1 {
			rest = append(rest, c.packet()...)
		}
		n := len(rest)
		if how&0x70 == 0 {
			n = int(c.byte()) % (n + 1)
		}
		if n > 0 {
			frames = append(frames, rest[:n:n])
		}
		rest = rest[n:]
	}
	return append(frames, rest)
}

// run takes the frames and gives what came of them. short: the short way is there.
// patient: each frame comes when all is quiet.
func (c *traffic) run(t *testing.T, short, patient bool, version mqtt.Version) (o outcome, taken int) {
	r := ride(t, func(cfg *Config) {
		cfg.Version, cfg.ReceiveMaximum, cfg.MaxPacket = version, 12, 300
	})
	if !short {
		r.s.Express(0, nil)
		r.settled()
	}
	again := traffic{b: c.b, encode: r.b.encode, v5: version == mqtt.V5}
	for _, frame := range again.frames() {
		if len(frame) == 0 {
			continue
		}
		if patient {
			r.settled()
		}
		r.offer(frame)
	}
	r.settled()
	for len(r.batches) > 0 {
		for _, m := range <-r.batches {
			if len(m.Properties) == 0 {
				m.Properties = nil
			}
			o.msgs = append(o.msgs, m)
		}
	}
	for len(r.b.frames) > 0 {
		o.sent = append(o.sent, r.b.parse(<-r.b.frames)...)
	}
	for len(r.changes) > 0 {
		change := <-r.changes
		o.last = append(o.last, change.State)
		if change.Err != nil {
			o.code = change.Err.Error()
		}
	}
	return o, r.taken
}

func compare(t *testing.T, version mqtt.Version, b []byte) (taken int) {
	t.Helper()
	c := traffic{b: b}
	want, none := c.run(t, false, true, version)
	require.Zero(t, none)
	got, taken := c.run(t, true, true, version)
	require.Equal(t, want, got)
	if want.code == "" { // otherwise it depends on when the end is noticed how much was acknowledged before
		got, _ = c.run(t, true, false, version)
		require.Equal(t, want.msgs, got.msgs)
		require.Equal(t, puts(want.sent), puts(got.sent))
	}
	return taken
}

// puts are the acknowledgements of messages.
func puts(sent []mqtt.Packet) (list []mqtt.Packet) {
	for _, p := range sent {
		if p.PacketType() == mqtt.PUBACK || p.PacketType() == mqtt.PUBREC {
			list = append(list, p)
		}
	}
	return list
}

// FuzzExpress: the same bytes give the same messages, acknowledgements and errors, whichever
// way they come.
func FuzzExpress(f *testing.F) {
	for version := range byte(3) {
		f.Add(version, []byte{0x73, 4, 1, 1, 0, 2, 2, 9, 3, 3, 8, 1, 1, 0x71, 11, 1, 1, 4, 5, 2})
		f.Add(version, []byte{0x70, 15, 2, 1, 200, 0x70, 0, 1, 1})
		f.Add(version, []byte{0x00, 4, 1, 1, 3, 0x70, 4, 2, 1, 0x73, 5, 3, 2, 5, 4, 2, 10, 5, 2, 0, 1, 1})
	}
	f.Fuzz(func(t *testing.T, version byte, b []byte) {
		compare(t, mqtt.V31+mqtt.Version(version%3), b[:min(len(b), 160)])
	})
}

func TestExpressIsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for n := range 24 {
		b := make([]byte, 20+r.IntN(100))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		taken += compare(t, mqtt.V31+mqtt.Version(n%3), b)
	}
	require.Greater(t, taken, 10, "the short way has its part in it")
}
