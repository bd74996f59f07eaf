package mqtt

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// split feeds the chunks one by one and collects copies of the packets.
func split(t testing.TB, s *Splitter, chunks ...[]byte) (pkts [][]byte, err error) {
	t.Helper()
	for _, chunk := range chunks {
		s.Feed(chunk)
		var fed [][]byte
		pkt, err := s.Next()
		for ; pkt != nil; pkt, err = s.Next() {
			fed = append(fed, pkt)
		}
		for _, pkt := range fed { // all are valid until the next Feed
			pkts = append(pkts, bytes.Clone(pkt))
		}
		if err != nil {
			return pkts, err
		}
	}
	return pkts, nil
}

func TestSplitterCutsAnywhere(t *testing.T) {
	long := append(raw(t, "30 C8 01 <a>"), make([]byte, 197)...)
	want := [][]byte{raw(t, "C0 |"), raw(t, "30 | <a> 'hi'"), long, raw(t, "40 | 0001"), raw(t, "D0 |")}
	stream := bytes.Join(want, nil)
	for first := 0; first <= len(stream); first++ {
		for _, second := range []int{first, min(first+1, len(stream)), (first + len(stream)) / 2} {
			got, err := split(t, NewSplitter(0), stream[:first], stream[first:second], stream[second:])
			require.NoError(t, err)
			require.Equal(t, want, got, "cut at %d and %d", first, second)
		}
	}
	var single [][]byte
	for i := range stream {
		single = append(single, stream[i:i+1])
	}
	got, err := split(t, NewSplitter(0), single...)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestSplitterFedAheadOfNext(t *testing.T) {
	s := NewSplitter(0)
	first := raw(t, "30 | <a>")
	backing := append(append([]byte(nil), first...), "untouched"...)
	s.Feed(backing[:2])
	s.Feed(backing[2:len(first)])
	s.Feed(raw(t, "30 | <b> 'x'"))
	got, err := split(t, s, raw(t, "C0 |"))
	require.NoError(t, err)
	require.Equal(t, [][]byte{first, raw(t, "30 | <b> 'x'"), raw(t, "C0 |")}, got)
	require.Equal(t, "untouched", string(backing[len(first):]), "a chunk's spare capacity is not ours")

	s = NewSplitter(0)
	got, err = split(t, s, first[:3])
	require.NoError(t, err)
	require.Empty(t, got)
	s.Feed(append(append([]byte(nil), first[3:]...), first...)) // ends what was begun, and has more
	got, err = split(t, s, raw(t, "C0 |"))
	require.NoError(t, err)
	require.Equal(t, [][]byte{first, first, raw(t, "C0 |")}, got)
}

func TestSplitterRefuses(t *testing.T) {
	cases := []struct {
		name   string
		max    int
		stream []byte
		reason ReasonCode
		clause string
	}{
		{"packet type 0", 0, raw(t, "00 00"), MalformedPacket, ""},
		{"packet type 0 before its length is there", 0, raw(t, "00"), MalformedPacket, ""},
		{"flags of PINGRESP", 0, raw(t, "D1"), MalformedPacket, "MQTT-2.1.3-1"},
		{"flags of SUBSCRIBE", 0, raw(t, "80"), MalformedPacket, "MQTT-2.1.3-1"},
		{"flags of PUBREL", 0, raw(t, "60 02 0001"), MalformedPacket, "MQTT-2.1.3-1"},
		{"PUBLISH with QoS 3", 0, raw(t, "36"), MalformedPacket, "MQTT-3.3.1-4"},
		{"PUBLISH with DUP at QoS 0", 0, raw(t, "38"), MalformedPacket, "MQTT-3.3.1-2"},
		{"remaining length of five bytes", 0, raw(t, "30 80 80 80 80 01"), MalformedPacket, ""},
		{"remaining length that will have five bytes", 0, raw(t, "30 FF FF FF FF"), MalformedPacket, ""},
		{"remaining length not in its shortest form", 0, raw(t, "C0 80 00"), MalformedPacket, "MQTT-1.5.5-1"},
		{"one byte above the limit", 9, raw(t, "30 08"), PacketTooLarge, ""},
		{"far above the limit", 1 << 20, raw(t, "30 FF FF FF 7F 00"), PacketTooLarge, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := NewSplitter(c.max)
			got, err := split(t, s, append(raw(t, "C0 |"), c.stream...))
			assert.Len(t, got, 1, "the packet before is given")
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.reason, e.Reason)
			assert.Equal(t, c.clause, e.Clause)
			s.Feed(raw(t, "C0 |"))
			_, again := s.Next()
			assert.Equal(t, err, again, "the error is final")

			s = NewSplitter(c.max)
			for i := range c.stream { // cut everywhere it is told as soon
				s.Feed(c.stream[i : i+1])
				var pkt []byte
				if pkt, again = s.Next(); again != nil {
					break
				}
				require.Nil(t, pkt)
			}
			assert.Equal(t, err, again)
		})
	}
}

func TestSplitterAllowsTheLimit(t *testing.T) {
	got, err := split(t, NewSplitter(9), raw(t, "30 | <abcde>"))
	require.NoError(t, err)
	require.Len(t, got, 1)
	got, err = split(t, NewSplitter(0), raw(t, "6A 02 0001"))
	require.NoError(t, err, "MQTT 3.1 has DUP on PUBREL")
	require.Len(t, got, 1)
}

func TestHugeRemainingLengthAllocatesNothingBig(t *testing.T) {
	six := raw(t, "30 FF FF FF 7F 00")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := NewSplitter(0)
	got, err := split(t, s, six, six)
	require.NoError(t, err)
	require.Empty(t, got, "the packet is unfinished, not wrong")
	_, err = ParsePublish(V5, FromServer, six)
	require.Error(t, err)
	require.Error(t, Check(V311, FromClient, six))
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestSplitterKeepsNoLargeBuffer(t *testing.T) {
	big := append(raw(t, "30 80 80 08 <a>"), make([]byte, 128<<10-3)...)
	s := NewSplitter(0)
	got, err := split(t, s, big[:10], big[10:])
	require.NoError(t, err)
	require.Equal(t, [][]byte{big}, got)
	s.Feed(nil)
	assert.Zero(t, cap(s.tail))
}

func TestSplitterAllocatesNothingForWholePackets(t *testing.T) {
	chunk := bytes.Repeat(raw(t, "32 | <topic> 0001 { } 'payload'"), 100)
	s := NewSplitter(0)
	allocs := testing.AllocsPerRun(100, func() {
		s.Feed(chunk)
		for {
			pkt, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if pkt == nil {
				return
			}
		}
	})
	assert.Zero(t, allocs)
}

// A splitter that was told to let go holds nothing of what it gave, keeps what is unfinished, and goes on.
func TestASplitterLetsGo(t *testing.T) {
	packet := []byte{0x30, 5, 0, 1, 'a', 'x', 'y'}
	s := NewSplitter(100)
	s.Release()
	s.Feed(packet[:3])
	p, err := s.Next()
	require.NoError(t, err)
	require.Nil(t, p)
	s.Release() // half a packet stays
	s.Feed(append(append([]byte(nil), packet[3:]...), packet[:4]...))
	p, err = s.Next()
	require.NoError(t, err)
	require.Equal(t, packet, p)
	s.Release()
	require.Nil(t, s.tail)
	p, err = s.Next()
	require.NoError(t, err)
	require.Nil(t, p)
	s.Feed(packet[4:])
	p, err = s.Next()
	require.NoError(t, err)
	require.Equal(t, packet, p)
	p, err = s.Next()
	require.NoError(t, err)
	require.Nil(t, p)
	s.Release()
	require.Nil(t, s.tail)
	require.Nil(t, s.rest)
}

// A beginning is what it is of, at every length of a topic, with and without a packet identifier.
func TestBeginning(t *testing.T) {
	for _, topic := range []string{"a", strings.Repeat("t", 125), strings.Repeat("t", 126), strings.Repeat("t", 300), strings.Repeat("t", 17_000), strings.Repeat("t", 65_535)} {
		for qos := range byte(3) {
			p := Publish{Topic: topic, QoS: qos, Retain: true}
			if qos > 0 {
				p.PacketID = 7
			}
			want, err := newCodec(t, V311).Append(nil, &p)
			require.NoError(t, err)
			p.Payload = bytes.Repeat([]byte{0xD0}, 1000)
			pkt, err := newCodec(t, V311).Append(nil, &p)
			require.NoError(t, err)
			for _, missing := range []int{0, 1, 999, 1000} {
				require.True(t, bytes.Equal(want, Beginning(pkt[:len(pkt)-missing])), "%d bytes of topic, QoS %d, %d missing", len(topic), qos, missing)
			}
			cut := pkt[:len(pkt)-1001]
			require.True(t, bytes.Equal(cut, Beginning(cut)), "no beginning")
		}
	}
	for _, short := range []string{"30", "30 02", "30 02 00", "30 02 0001"} {
		require.Equal(t, raw(t, short), Beginning(raw(t, short)))
	}
}

// A PUBLISH over the limit gives its beginning and is passed over, wherever the stream is cut; what stands beside it is whole.
func TestSplitterPassesOver(t *testing.T) {
	const limit, most = 70_000, 280_000
	sized := func(size int) []byte { // a PUBLISH at QoS 1 of so many bytes
		n := size - 4
		head := []byte{0x32, byte(n&0x7F | 0x80), byte(n>>7&0x7F | 0x80), byte(n >> 14), 0, 1, 'a', 0, 7}
		return append(head, bytes.Repeat([]byte{0xD0}, size-len(head))...)
	}
	type cut struct{ given, whole int }
	sizes := []int{limit, limit + 1, most, most, limit}
	var stream []byte
	var want []cut
	var at []int // where something begins or ends
	for _, size := range sizes {
		at = append(at, len(stream), len(stream)+beginningMax, len(stream)+size)
		stream = append(append(stream, sized(size)...), raw(t, "D0 |")...)
		if size > limit {
			want = append(want, cut{beginningMax, size})
		} else {
			want = append(want, cut{size, 0})
		}
		want = append(want, cut{2, 0})
	}
	var points []int
	for _, p := range at {
		for d := -2; d <= 10; d++ {
			points = append(points, min(max(p+d, 0), len(stream)))
		}
	}
	play := func(chunks ...[]byte) (got []cut, err error) {
		s := NewSplitter(limit)
		s.PassOver(most)
		for _, chunk := range chunks {
			s.Feed(chunk)
			for {
				pkt, err := s.Next()
				if err != nil || pkt == nil {
					if err != nil {
						return got, err
					}
					break
				}
				got = append(got, cut{len(pkt), s.Cut()})
				if s.Cut() > 0 {
					view, err := ParsePublish(V311, FromServer, Beginning(pkt))
					require.NoError(t, err)
					require.Equal(t, "a", string(view.Topic))
					require.Equal(t, uint16(7), view.PacketID)
					require.Empty(t, view.Payload)
				}
			}
		}
		return got, nil
	}
	for i, first := range points {
		second := max(first, points[(i*7+3)%len(points)])
		got, err := play(stream[:first], stream[first:second], stream[second:])
		require.NoError(t, err)
		require.Equal(t, want, got, "cut at %d and %d", first, second)
	}
	_, err := play(sized(most + 1))
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, PacketTooLarge, e.Reason)
}
