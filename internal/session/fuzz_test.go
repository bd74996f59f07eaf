package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// do performs one step that the fuzzer's bytes name.
func (f *fuzzed) do() {
	switch op := f.byte() % 21; op {
	case 0:
		if f.pipe != nil {
			f.noisy = true
			f.pipe.raw(f.bytes())
		}
	case 1, 2, 3, 4:
		f.behave()
	case 5:
		f.fire(time.Duration(f.byte()) * time.Second)
	case 6:
		if f.byte()%4 == 0 {
			f.s.Pause("fuzz")
		} else {
			f.s.Wake("fuzz")
		}
	case 7:
		_ = f.s.TakeBack()
	case 8:
		if f.pipe != nil {
			f.pipe.close(errReset)
		}
	case 9, 10:
		m := Message{Topic: "t", Payload: f.bytes(), QoS: f.byte() % 3}
		f.calls.Go(func() { _ = f.s.Publish(bg, m) })
	case 11:
		qos := f.byte() % 3
		f.calls.Go(func() { _, _ = f.s.Subscribe(bg, "more", qos) })
	case 12:
		f.calls.Go(func() { _ = f.s.Unsubscribe(bg, "more") })
	case 13:
		f.hold(!f.held)
	default:
		f.heard()
		f.tell(f.packet(op))
	}
	f.calm()
}

// packet is a sound one, with identifiers that are small enough to be those of others.
func (f *fuzzed) packet(op byte) mqtt.Packet {
	id := uint16(f.byte()%8) + 1
	code := mqtt.ReasonCode(f.byte())
	switch op {
	case 14:
		return &mqtt.Connack{ReasonCode: code, SessionPresent: code == mqtt.Success && id > 4}
	case 15:
		return &mqtt.Suback{PacketID: id, ReasonCodes: []mqtt.ReasonCode{code}}
	case 16:
		return &mqtt.Publish{Topic: "topic-1", Payload: f.bytes(), QoS: 1, PacketID: id, Dup: code > 127}
	case 17:
		return &mqtt.Publish{Topic: "topic-1", Payload: f.bytes(), QoS: 2, PacketID: id, Dup: code > 127}
	case 18:
		return &mqtt.Ack{Kind: mqtt.PUBACK + mqtt.Type(id%4), PacketID: id, ReasonCode: code & 0x80}
	case 19:
		return marked(&mqtt.Publish{Topic: "other", Payload: f.bytes()}, string(rune('a'+id)))
	}
	return &mqtt.Disconnect{ReasonCode: code}
}

func TestTheFuzzersPacketsAreAboutWhatWasSent(t *testing.T) {
	s := newFuzzed(t, 3, []byte{1, 0}) // identifier 2, and no error
	for s.calm(); s.s.State().State != Online; s.calm() {
		s.behave()
	}
	published := make(chan error, 1)
	s.calls.Go(func() { published <- s.s.Publish(bg, Message{Topic: "t", QoS: 1}) })
	require.Eventually(t, func() bool { return len(s.pipe.frames) > 0 }, patience, time.Millisecond)
	assert.LessOrEqual(t, s.heard()[0].(*mqtt.Publish).PacketID, uint16(8))
	s.tell(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: s.packet(18).(*mqtt.Ack).PacketID})
	select {
	case err := <-published:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "it is not acknowledged")
	}
	s.end()
}

// FuzzSession: random steps of the broker, the application and the clock.
func FuzzSession(f *testing.F) {
	online := []byte{1, 1, 1}
	for version := range byte(4) {
		for _, steps := range [][]byte{
			{},
			{9, 1, 'x', 1, 1, 9, 1, 'y', 2, 1, 1, 8, 5, 0, 1, 1, 1},                       // publish, over a loss
			{16, 1, 0, 1, 'x', 17, 2, 0, 1, 'y', 1, 17, 2, 200, 1, 'y', 1, 1},             // receive, and receive again
			{13, 16, 1, 0, 1, 'x', 8, 5, 0, 1, 1, 1, 16, 2, 0, 0, 13, 1},                  // a slow application, over a loss
			{11, 1, 1, 12, 1, 8, 5, 0, 1, 1},                                              // subscribe
			{20, 0, 0x8E, 7, 1, 1, 1},                                                     // displaced
			{0, 4, 0xD1, 0, 0, 0, 5, 0, 1, 1, 1},                                          // a broken rule
			{15, 1, 1, 18, 1, 0, 18, 2, 0, 19, 1, 0, 2, 'h', 'i', 5, 200, 5, 200, 5, 200}, // answers to nothing
		} {
			f.Add(version, append(online[:3:3], steps...))
			f.Add(version|0x38, append(online[:3:3], steps...))
		}
		f.Add(version, []byte{14, 0, 0x84, 1, 1, 1, 14, 0, 1, 1, 1, 1})
		f.Add(version, []byte{8, 5, 0, 8, 5, 0, 1, 1, 1, 5, 255, 6, 1, 5, 0})
	}
	f.Fuzz(func(t *testing.T, version byte, steps []byte) {
		s := newFuzzed(t, version, steps[:min(len(steps), 512)])
		s.calm()
		for len(s.in) > 0 {
			s.do()
		}
		s.heard()
		if s.pipe != nil {
			s.pipe.close(errReset)
		}
		s.recovers()
		s.end()
	})
}

// FuzzSessionBytes: random bytes, in random pieces, at each stage of a connection.
func FuzzSessionBytes(f *testing.F) {
	for _, b := range [][]byte{{0x20, 3, 0, 0, 0}, {0x30, 5, 0, 1, 't', 0, 'x'}, {0xE0, 1, 0x8E}, {0x30, 0xFF, 0xFF, 0xFF, 0x7F}, {0xF0, 0}} {
		for version := range byte(4) {
			f.Add(version, byte(version), []byte{1, 2}, b)
		}
	}
	f.Fuzz(func(t *testing.T, version, stage byte, cuts, stream []byte) {
		s := newFuzzed(t, version, nil)
		for range stage % 4 {
			s.calm()
			s.behave()
		}
		s.calm()
		for _, cut := range cuts[:min(len(cuts), 64)] {
			n := min(int(cut), len(stream))
			s.pipe.raw(stream[:n:n])
			stream = stream[n:]
			s.calm()
		}
		s.noisy = true
		s.pipe.raw(stream)
		s.calm()
		s.heard()
		s.pipe.close(errReset)
		s.recovers()
		s.end()
	})
}
