package replay

import (
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Coalescing says how PUBLISH packets are put into WebSocket frames. It decides the
// result of a benchmark, so every result names it.
type Coalescing struct {
	// Bytes is the size of a frame. A frame takes whole packets and ends with the one that
	// reaches Bytes; 0 puts one packet into each frame.
	Bytes int
	// Cut makes every frame exactly Bytes long, wherever that cuts a packet.
	Cut bool
}

// The forms that are measured.
var (
	OnePacket = Coalescing{}
	Small     = Coalescing{Bytes: 2 << 10}
	Large     = Coalescing{Bytes: 16 << 10}
)

// String names the form, as tables do.
func (c Coalescing) String() string {
	switch {
	case c.Bytes == 0:
		return "1 packet per frame"
	case c.Cut:
		return fmt.Sprintf("%d-byte frames that cut packets", c.Bytes)
	}
	return fmt.Sprintf("%d KiB frames", c.Bytes>>10)
}

// Shape is what the messages of a stream look like.
type Shape struct {
	QoS     byte // 0 or 1
	Payload int  // bytes, at least 4: the first four are the message's number
	Frames  Coalescing
	Topics  int  // how many, in turn; 0 means 1
	Period  int  // after how many messages it begins again; 0 means Period
	Push    bool // with the properties that the cloud gives a push, where MQTT 5 has some
}

// Period is after how many messages a stream's numbers, topics and packet identifiers
// begin again. It is over any window and below 65,536.
const Period = 16_000

// TopicLength is how long every topic's name is, in bytes: like a Kii topic's.
const TopicLength = 22

// topic names topic number n.
func topic(n int) string { return fmt.Sprintf("bench/0a1b2c3d4e5f/%03d", n) }

// Stream is one period of messages as the bytes of WebSocket frames, ready to be written
// any number of times: while it is replayed, nothing of it is computed.
type Stream struct {
	qos     byte
	bytes   []byte
	frames  []frame
	largest int // messages in a frame
}

// frame says where a frame ends, and how many messages have ended with it.
type frame struct{ end, messages int }

// NewStream prepares a stream.
func NewStream(v mqtt.Version, s Shape) (*Stream, error) {
	codec, err := mqtt.NewCodec(v)
	if err != nil {
		return nil, err
	}
	b := builder{s: s}
	for n := range cmp.Or(s.Period, Period) {
		p := mqtt.Publish{QoS: s.QoS, Topic: topic(n % max(s.Topics, 1)), Payload: payload(n, s.Payload)}
		if s.QoS > 0 {
			p.PacketID = uint16(n + 1)
		}
		if s.Push && v == mqtt.V5 {
			p.Properties = pushProperties(n)
		}
		packet, err := codec.Append(nil, &p)
		if err != nil {
			return nil, err
		}
		b.add(packet)
	}
	b.cut(len(b.open))
	return &Stream{qos: s.QoS, bytes: b.bytes, frames: b.frames, largest: b.largest}, nil
}

// pushProperties are what the cloud gives a push: how long it is worth delivering, and the id by which a repeat is known.
func pushProperties(n int) mqtt.Properties {
	expiry := uint32(24 * 60 * 60)
	return mqtt.Properties{MessageExpiry: &expiry, User: []mqtt.UserProperty{{Key: "pushMessageID", Value: fmt.Sprintf("%022d", n)}}}
}

func payload(n, size int) []byte {
	p := make([]byte, size)
	binary.LittleEndian.PutUint32(p, uint32(n))
	for i := 4; i < size; i++ {
		p[i] = 'a' + byte(i%26)
	}
	return p
}

// builder collects packets and cuts frames of them.
type builder struct {
	s        Shape
	open     []byte // what is in no frame yet
	ends     []int  // of packets, as offsets in open
	messages int    // in frames
	bytes    []byte
	frames   []frame
	largest  int
}

func (b *builder) add(packet []byte) {
	b.open = append(b.open, packet...)
	b.ends = append(b.ends, len(b.open))
	size := b.s.Frames.Bytes
	for len(b.open) > 0 && len(b.open) >= size {
		if b.s.Frames.Cut {
			b.cut(size)
		} else {
			b.cut(len(b.open))
		}
	}
}

// cut makes a frame of the first n bytes.
func (b *builder) cut(n int) {
	if n == 0 {
		return
	}
	b.bytes = appendHeader(b.bytes, n)
	b.bytes = append(b.bytes, b.open[:n]...)
	before := b.messages
	for len(b.ends) > 0 && b.ends[0] <= n {
		b.messages++
		b.ends = b.ends[1:]
	}
	b.largest = max(b.largest, b.messages-before)
	for i := range b.ends {
		b.ends[i] -= n
	}
	b.open = b.open[n:]
	b.frames = append(b.frames, frame{len(b.bytes), b.messages})
}

// Plan is a part of a stream, repeated as often as it takes.
type Plan struct {
	Messages int // at least as many as were asked for: frames are sent whole
	Frames   int
	Bytes    int // payload of the frames
}

// Plan says what replaying at least n messages will send.
func (s *Stream) Plan(n int) Plan {
	var p Plan
	for p.Messages < n {
		previous := frame{}
		for _, f := range s.frames {
			size := f.end - previous.end
			p.Frames++
			p.Messages += f.messages - previous.messages
			p.Bytes += size - headerSize(s.bytes[previous.end:])
			previous = f
			if p.Messages >= n {
				break
			}
		}
	}
	return p
}

// appendHeader appends the header of a binary WebSocket frame from a server (RFC 6455, 5.2).
func appendHeader(b []byte, size int) []byte {
	const finBinary = 0x82
	switch {
	case size < 126:
		return append(b, finBinary, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, finBinary, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, finBinary, 127), uint64(size))
}

// headerSize is the size of the header at the start of b.
func headerSize(b []byte) int {
	switch b[1] {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// Packets gives n messages at QoS 0 to one topic, one packet after the other without any frames:
// what is published to a broker so that clients receive what a stream would give.
func Packets(v mqtt.Version, topic string, size, n int) ([]byte, error) {
	codec, err := mqtt.NewCodec(v)
	if err != nil {
		return nil, err
	}
	var b []byte
	for i := range n {
		if b, err = codec.Append(b, &mqtt.Publish{Topic: topic, Payload: payload(i%Period, size)}); err != nil {
			return nil, err
		}
	}
	return b, nil
}
