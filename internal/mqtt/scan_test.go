package mqtt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scanSlowly is Scan by means of the other readers of the package.
func scanSlowly(v Version, max int, frame []byte, room int) (rows []Row, acks int, ok bool) {
	split := NewSplitter(max)
	split.Feed(frame)
	at, before := 0, ""
	for {
		pkt, err := split.Next()
		if err != nil {
			return nil, 0, false
		}
		if pkt == nil {
			return rows, acks, at == len(frame)
		}
		p, err := ParsePublish(v, FromServer, pkt)
		if err != nil || p.Alias || p.QoS() > 1 || len(rows) == room {
			return nil, 0, false
		}
		at += len(pkt)
		payload := int32(at - len(p.Payload))
		_, header, _ := varint(pkt[1:])
		name := int32(at - len(pkt) + 1 + header + 2)
		again := int32(0)
		if string(p.Topic) == before {
			again = 1
		}
		before = string(p.Topic)
		rows = append(rows, Row{
			again, int32(p.Flags), int32(p.PacketID), payload, int32(len(p.Payload)),
			payload - int32(len(p.Properties)), int32(len(p.Properties)), name,
		})
		acks += int(p.QoS())
	}
}

func checkScan(t *testing.T, v Version, max int, frame []byte, room int) {
	t.Helper()
	want, wantAcks, wantOK := scanSlowly(v, max, frame, room)
	table := make([]Row, room)
	rows, acks, ok := Scan(v, max, nil, frame, len(frame), table)
	checkBeginnings(t, v, max, frame, room)
	require.Equal(t, wantOK, ok, "% x", frame)
	if ok {
		require.Equal(t, wantAcks, acks)
		require.Equal(t, len(want), rows)
		for i, row := range want {
			require.Equal(t, row, table[i])
		}
	}
	checkKnown(t, v, max, frame, table, rows, acks, ok)
}

// checkKnown holds that to know a topic changes nothing but what is said of the first row.
func checkKnown(t *testing.T, v Version, max int, frame []byte, want []Row, rows, acks int, ok bool) {
	t.Helper()
	topics := []string{"topic-1", "topic-11", "topic"}
	first := ""
	if ok && rows > 0 {
		at := want[0][RowName]
		first = string(frame[at : at+(int32(frame[at-2])<<8|int32(frame[at-1]))])
		topics = append(topics, first)
	}
	for _, topic := range topics {
		table := make([]Row, len(want))
		gotRows, gotAcks, got := Scan(v, max, []byte(topic), frame, len(frame), table)
		require.Equal(t, []any{rows, acks, ok}, []any{gotRows, gotAcks, got}, "%q before % x", topic, frame)
		if !ok {
			continue
		}
		if rows > 0 {
			again := int32(0)
			if topic == first {
				again = 1
			}
			require.Equal(t, again, table[0][RowTopic])
			table[0][RowTopic] = 0
		}
		require.Equal(t, want, table)
	}
}

// checkBeginnings holds that a part of a frame is enough where the last packet's payload alone is not all there.
func checkBeginnings(t *testing.T, v Version, max int, frame []byte, room int) {
	t.Helper()
	want := make([]Row, room)
	rows, acks, ok := Scan(v, max, nil, frame, len(frame), want)
	enough := len(frame)
	if ok && rows > 0 {
		enough = int(want[rows-1][RowPayload])
	}
	for n := range len(frame) {
		if n > 40 && n < enough-40 || n > enough+40 {
			continue // all others are like these
		}
		table := make([]Row, room)
		gotRows, gotAcks, got := Scan(v, max, nil, frame[:n:n], len(frame), table)
		require.Equal(t, ok && n >= enough, got, "%d of % x", n, frame)
		if got {
			require.Equal(t, []any{rows, acks}, []any{gotRows, gotAcks})
			require.Equal(t, want, table)
		}
	}
}

func publishes(t testing.TB, v Version) (frame []byte) {
	t.Helper()
	codec, err := NewCodec(v)
	require.NoError(t, err)
	expiry := uint32(7)
	for _, p := range []Publish{
		{Topic: "topic-1", Payload: []byte("a")},
		{Topic: "topic-1", QoS: 1, PacketID: 1, Dup: true, Payload: []byte("b")},
		{Topic: "topic-2", Retain: true},
		{Topic: "topic-2", QoS: 1, PacketID: 65535, Payload: make([]byte, 300)},
		{Topic: "日本", Payload: []byte("c")},
		{Topic: "topic-1", Payload: []byte("d"), Properties: Properties{MessageExpiry: &expiry, User: []UserProperty{{"k", "v"}, {"k", "w"}}}},
		{Topic: "topic-1", Payload: []byte("e"), Properties: Properties{MessageExpiry: &expiry, User: []UserProperty{{"k", "v"}}}},
		{Topic: "topic-1", Payload: []byte("f"), Properties: Properties{ContentType: "text", User: []UserProperty{{"k", "ü"}}}},
	} {
		if v != V5 {
			p.Properties = Properties{}
		}
		frame, err = codec.Append(frame, &p)
		require.NoError(t, err)
	}
	return frame
}

func TestScan(t *testing.T) {
	for _, v := range []Version{V31, V311, V5} {
		frame := publishes(t, v)
		table := make([]Row, 16)
		rows, acks, ok := Scan(v, 1000, nil, frame, len(frame), table)
		require.True(t, ok)
		assert.Equal(t, 8, rows)
		assert.Equal(t, 2, acks)
		checkScan(t, v, 1000, frame, 16)
		checkScan(t, v, 1000, frame, 8)
		checkScan(t, v, 1000, frame, 7) // no room
		checkScan(t, v, 300, frame, 8)  // too large
		largest := raw(t, "30 | <topic> { } 'payload'")
		if v != V5 {
			largest = raw(t, "30 | <topic> 'payload'")
		}
		for _, max := range []int{len(largest) - 1, len(largest), len(largest) + 1} {
			checkScan(t, v, max, largest, 1)
		}
		for n := range len(frame) {
			checkScan(t, v, 1000, frame[:n], 16)
			assert.Zero(t, testing.AllocsPerRun(1, func() { Scan(v, 1000, nil, frame[:n], len(frame[:n]), table) }))
		}
	}
	rows, acks, ok := Scan(V5, 1000, nil, nil, 0, nil)
	assert.Equal(t, []any{0, 0, true}, []any{rows, acks, ok})
	_, _, ok = Scan(0, 1000, nil, publishes(t, V5), len(publishes(t, V5)), make([]Row, 16))
	assert.False(t, ok)
}

// What Scan steps over by itself has the limits of what the other readers say.
func TestScanOfUsualProperties(t *testing.T) {
	const (
		expiry = "02 00093A80 "
		pair   = "26 <key> <value> "
	)
	// Correlation data, of which the length's second byte, 2, would pass for an expiry, and what follows for user properties.
	disguised := "09 00FD 00" + strings.Repeat("26 <> <> ", 23) + "26 <> <xxx> " + strings.Repeat("00 ", 129)
	for _, c := range []struct {
		properties string
		ok         bool
	}{
		{"", true},
		{expiry, true},
		{pair, true},
		{expiry + pair, true},
		{expiry + pair + pair, true},
		{pair + expiry, true}, // not the usual order
		{"26 <> <>", true},
		{"26 <key> <" + strings.Repeat("v", 110) + ">", true},
		{"26 <key> <" + strings.Repeat("v", 300) + ">", true}, // a longer length
		{"26 <日本語> <値>", true},
		{"0B 01 " + pair, true},
		{expiry + expiry, false}, // twice
		{expiry + pair + expiry, false},
		{"26 0003 61 00 62 <value>", false}, // U+0000
		{"26 <key> 0001 00", false},
		{"26 <key> 0008 61 61 61 61 61 61 61 FF", false}, // no UTF-8
		{"26 <key> 0008 80 61 61 61 61 61 61 61", false},
		{"26 <key>", false}, // ends too soon
		{"26 <key> 0002 61", false},
		{"02 000000", false},
		{"23 0001", false},                // a topic alias is for the others
		{"11 00000001", false},            // belongs elsewhere
		{"03 <key> <value>", false},       // no pair
		{expiry + "02 0000 0000", false},  // nor is a second expiry
		{"26 010361 6161 <value>", false}, // a text of more bytes than there are
		{"26 <key> 010361 6161", false},
		{disguised, true}, // 256 bytes: a length whose first byte would say 128, and what would pass for the end of 128
	} {
		properties := raw(t, c.properties)
		packet := raw(t, "<topic>")
		packet = append(appendVarint(packet, len(properties)), properties...)
		packet = append(packet, "payload"...)
		frame := raw(t, "30 08 <topic> 00") // without any: the topic is known by then
		frame = append(appendVarint(append(frame, 0x30), len(packet)), packet...)
		_, _, ok := Scan(V5, 1<<10, nil, frame, len(frame), make([]Row, 2))
		assert.Equal(t, c.ok, ok, c.properties)
		checkScan(t, V5, 1<<10, frame, 2)
	}
}

func TestASCII(t *testing.T) {
	for size := range 40 {
		text := []byte(strings.Repeat("a", size))
		assert.True(t, ascii(text))
		for at := range text {
			for c := range 256 {
				text[at] = byte(c)
				require.Equal(t, c > 0 && c < 0x80, ascii(text), "%x at %d of %d", c, at, size)
			}
			text[at] = 0x7F
		}
	}
}

// FuzzScan holds Scan to the other readers: it takes what all of them take, gives the
// same parts, and leaves everything else to them.
func FuzzScan(f *testing.F) {
	seed(f, func(v Version, _ Side, pkt []byte) {
		f.Add(byte(v-V31), pkt, uint16(200), byte(9))
		if PacketTypeOf(pkt) == PUBLISH {
			f.Add(byte(v-V31), append(pkt[:len(pkt):len(pkt)], pkt...), uint16(200), byte(9))
		}
	})
	for _, v := range []Version{V31, V311, V5} {
		f.Add(byte(v-V31), publishes(f, v), uint16(1000), byte(9))
	}
	f.Fuzz(func(t *testing.T, version byte, frame []byte, max uint16, room byte) {
		checkScan(t, V31+Version(version%3), int(max)+1, frame, int(room))
	})
}

func BenchmarkScan(b *testing.B) {
	codec, _ := NewCodec(V5)
	var frame []byte
	for n := range 150 {
		frame, _ = codec.Append(frame, &Publish{Topic: "bench/0a1b2c3d4e5f/001", QoS: 1, PacketID: uint16(n + 1), Payload: make([]byte, 64)})
	}
	table := make([]Row, 256)
	b.ReportAllocs()
	for b.Loop() {
		Scan(V5, 1<<20, nil, frame, len(frame), table)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/150, "ns/message")
}
