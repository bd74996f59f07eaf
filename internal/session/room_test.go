package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// slowHandler gives a session that is online and has room for so many waiting messages. Each call of its handler tells begun, and waits
// until release is closed.
func slowHandler(t *testing.T, room int) (h *harness, b *pipe, begun, release chan struct{}) {
	begun, release = make(chan struct{}, 16), make(chan struct{})
	h = newHarness(t, func(c *Config) {
		c.MaxBacklog = room
		deliver := c.Deliver
		c.Deliver = func(m []Message) { begun <- struct{}{}; <-release; deliver(m) }
	})
	b = h.online()
	h.sends(b, 1, "mine") // whose acknowledgement is awaited, so reading goes on
	return h, b, begun, release
}

// What made room was not had by anybody: should it come again, at QoS 1 through another subscription, it is no repeat.
func TestWhatMadeRoomIsNoRepeat(t *testing.T) {
	h, b, begun, release := slowHandler(t, 1)
	b.send(marked(push(0, "t", "had"), "id-0"))
	<-begun
	dropped := func(n int) bool { h.sync(); return h.s.Dropped() == n && h.s.courier.full() }
	b.send(marked(push(0, "t", "shed"), "id-1"))
	require.Eventually(t, func() bool { return dropped(0) }, patience, time.Millisecond)
	b.send(marked(push(0, "t", "shed, too"), "id-2"))
	require.Eventually(t, func() bool { return dropped(1) }, patience, time.Millisecond)
	b.send(marked(push(1, "t", "once more"), "id-1"), marked(push(2, "t", "a repeat"), "id-0"))
	require.Eventually(t, func() bool { return dropped(2) }, patience, time.Millisecond)
	close(release)
	assert.Equal(t, []string{"had"}, payloads(h.batch()))
	assert.Equal(t, []string{"once more"}, payloads(h.batch()))
	for id := range uint16(2) {
		assert.Equal(t, id+1, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
}

// A repeat at QoS 1 is acknowledged and not handed over, so the copy at QoS 0 has to be, whatever has to make room.
func TestWhatIsAcknowledgedByARepeatMakesNoRoom(t *testing.T) {
	h, b, begun, release := slowHandler(t, 2)
	b.send(push(0, "t", "had"))
	<-begun
	waiting := func(n, dropped int) {
		t.Helper()
		require.Eventually(t, func() bool {
			h.sync()
			h.s.courier.mu.Lock()
			defer h.s.courier.mu.Unlock()
			return h.s.courier.backlog == n && h.s.courier.dropped == dropped
		}, patience, time.Millisecond)
	}
	b.send(marked(push(0, "t", "the copy"), "id-1"), push(0, "t", "gone"))
	waiting(2, 0)
	b.send(marked(push(1, "t", "the repeat"), "id-1"))
	for n := range 4 {
		b.send(push(0, "t", strconv.Itoa(n)))
		waiting(2, n+1)
	}
	close(release)
	var got []string
	for len(got) < 3 {
		got = append(got, payloads(h.batch())...)
	}
	assert.Equal(t, []string{"had", "the copy", "3"}, got)
	assert.Equal(t, uint16(1), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	assert.Equal(t, 4, h.s.Dropped())
}

// In one frame with it, neither.
func TestWhatIsAcknowledgedByARepeatInTheSameFrameMakesNoRoom(t *testing.T) {
	h, b, begun, release := slowHandler(t, 1)
	b.send(push(0, "t", "had"))
	<-begun
	b.send(push(0, "t", "gone"))
	require.Eventually(t, func() bool { h.sync(); return h.s.courier.full() }, patience, time.Millisecond)
	b.send(marked(push(0, "t", "the copy"), "id-1"), marked(push(1, "t", "the repeat"), "id-1"), push(0, "t", "gone, too"))
	require.Eventually(t, func() bool { h.sync(); return h.s.Dropped() == 2 }, patience, time.Millisecond)
	close(release)
	assert.Equal(t, []string{"had"}, payloads(h.batch()))
	assert.Equal(t, []string{"the copy"}, payloads(h.batch()))
	assert.Equal(t, uint16(1), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
}

// What the application has dropped after all is no repeat, either.
func TestWhatWasDroppedLaterIsNoRepeat(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	for n, id := range []string{"id-1", "id-2"} {
		b.send(marked(push(0, "t", strconv.Itoa(n)), id))
		assert.Equal(t, []string{strconv.Itoa(n)}, payloads(h.batch()))
	}
	h.s.Unseen([][]byte{nil, propertiesOf(t, b, "id-1"), {1, 2, 3}})
	b.send(marked(push(1, "t", "a repeat"), "id-2"), marked(push(2, "t", "anew"), "id-1"))
	assert.Equal(t, []string{"anew"}, payloads(h.batch()))
}

// propertiesOf gives the properties of a message with that id, as they are on the wire.
func propertiesOf(t *testing.T, b *pipe, id string) []byte {
	t.Helper()
	packet := b.encode(marked(push(0, "t", ""), id))
	view, err := mqtt.ParsePublish(mqtt.V5, mqtt.FromServer, packet)
	require.NoError(t, err)
	return view.Properties
}
