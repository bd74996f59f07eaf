package session

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// publish calls Publish in the background. Before the session is online it returns
// once the message is in the queue, so that the order of two is known.
func (h *harness) publish(m Message) chan error {
	h.t.Helper()
	result := make(chan error, 1)
	before := h.outgoing()
	go func() { result <- h.s.Publish(bg, m) }()
	require.Eventually(h.t, func() bool {
		return h.outgoing() > before || h.s.State().State == Online
	}, patience, time.Millisecond)
	return result
}

// outgoing counts the messages that wait to be sent or acknowledged.
func (h *harness) outgoing() int {
	n := make(chan int, 1)
	if !h.s.post(func(l *loop) { n <- len(l.out.queue) + len(l.out.sent) }) {
		return 0
	}
	return <-n
}

func result(t testing.TB, c chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		require.FailNow(t, "Publish did not return")
		return nil
	}
}

func TestPublish(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	require.NoError(t, h.s.Publish(soon(t), Message{Topic: "t", Payload: []byte("zero"), Retain: true}))
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	assert.Equal(t, &mqtt.Publish{Topic: "t", Payload: []byte("zero"), Retain: true}, p)

	one := h.publish(Message{Topic: "t", Payload: []byte("one"), QoS: 1, Properties: []byte{0x01, 0x01}})
	p = b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	assert.Equal(t, "one", string(p.Payload))
	assert.NotZero(t, p.PacketID)
	assert.Equal(t, byte(1), *p.Properties.PayloadFormat)
	assert.Empty(t, one, "not before the acknowledgement")
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID, ReasonCode: mqtt.NoMatchingSubscribers})
	require.NoError(t, result(t, one))
}

func TestPublishRefusedByTheBroker(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	one := h.publish(Message{Topic: "t", QoS: 1})
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID, ReasonCode: mqtt.NotAuthorized, Properties: mqtt.Properties{ReasonString: "read only"}})
	err := result(t, one)
	assert.Equal(t, fault.Forbidden, fault.CodeOf(err))
	assert.Contains(t, err.Error(), "read only")
	assert.Equal(t, Online, h.s.State().State)
}

func TestPublishWaitsUntilOnline(t *testing.T) {
	h := newHarness(t, nil)
	first := h.publish(Message{Topic: "t", Payload: []byte("first"), QoS: 1})
	second := h.publish(Message{Topic: "t", Payload: []byte("second")})
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{})
	s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	h.settled()
	b.silent()
	b.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{1}})
	frame := b.nextFrame()
	require.Len(t, frame, 2, "in one write")
	assert.Equal(t, "first", string(frame[0].(*mqtt.Publish).Payload))
	assert.Equal(t, "second", string(frame[1].(*mqtt.Publish).Payload))
	require.NoError(t, result(t, second))
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: frame[0].(*mqtt.Publish).PacketID})
	require.NoError(t, result(t, first))
}

func TestResendAfterReconnect(t *testing.T) {
	for name, present := range map[string]bool{"session kept": true, "session gone": false} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.online()
			var results []chan error
			var ids []uint16
			for n := range 3 {
				results = append(results, h.publish(Message{Topic: "t", Payload: []byte(strconv.Itoa(n)), QoS: 1}))
				ids = append(ids, b.expect(mqtt.PUBLISH).(*mqtt.Publish).PacketID)
			}
			b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: ids[1]})
			require.NoError(t, result(t, results[1]))
			b.close(&transport.CloseError{Code: 1006})
			h.next(Waiting)
			h.tick()
			h.next(Connecting)
			b = h.welcome(&mqtt.Connack{SessionPresent: present})
			h.next(Online)
			for _, n := range []int{0, 2} {
				p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
				assert.Equal(t, strconv.Itoa(n), string(p.Payload), "in order")
				assert.Equal(t, present, p.Dup)
				assert.Equal(t, ids[n], p.PacketID)
				b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
				require.NoError(t, result(t, results[n]))
			}
			h.settled()
			b.silent()
		})
	}
}

func TestWhatTheBrokerChokedOnIsNotSentAgain(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	bad := h.publish(Message{Topic: "t", QoS: 1})
	b.expect(mqtt.PUBLISH)
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.TopicNameInvalid})
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(result(t, bad)))
	h.next(Waiting)
	h.tick()
	b = h.welcome(&mqtt.Connack{})
	require.NoError(t, h.s.Ready(soon(t)))
	h.settled()
	b.silent()
}

func TestServerLimits(t *testing.T) {
	h := newHarness(t, nil)
	one, size, zero := uint16(1), uint32(40), byte(0)
	b := h.welcome(&mqtt.Connack{Properties: mqtt.Properties{ReceiveMaximum: &one, MaximumPacketSize: &size, RetainAvailable: &zero}})
	require.NoError(t, h.s.Ready(soon(t)))

	err := h.s.Publish(soon(t), Message{Topic: "t", Payload: make([]byte, 40), QoS: 1})
	assert.Equal(t, fault.PacketTooLarge, fault.CodeOf(err))
	err = h.s.Publish(soon(t), Message{Topic: "t", Retain: true})
	assert.Equal(t, fault.Unsupported, fault.CodeOf(err))
	h.settled()
	b.silent()

	first, second := h.publish(Message{Topic: "t", QoS: 1}), h.publish(Message{Topic: "t", QoS: 1})
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	h.settled()
	b.silent() // the receive maximum
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	p = b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	require.NoError(t, result(t, first))
	require.NoError(t, result(t, second))
}

func TestServerMaximumQoS(t *testing.T) {
	h := newHarness(t, nil)
	zero := byte(0)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{Properties: mqtt.Properties{MaximumQoS: &zero}})
	b.subscribe(mqtt.Success)
	require.NoError(t, h.s.Ready(soon(t)))
	assert.Equal(t, fault.Unsupported, fault.CodeOf(h.s.Publish(soon(t), Message{Topic: "t", QoS: 1})))
	require.NoError(t, h.s.Publish(soon(t), Message{Topic: "t"}))
}

func TestPublishArguments(t *testing.T) {
	h := newHarness(t, nil)
	h.online()
	for name, c := range map[string]struct {
		m    Message
		code fault.Code
	}{
		"no topic":              {Message{}, fault.InvalidArgument},
		"a wildcard":            {Message{Topic: "a/#"}, fault.InvalidArgument},
		"QoS 3":                 {Message{Topic: "a", QoS: 3}, fault.InvalidArgument},
		"cut properties":        {Message{Topic: "a", Properties: []byte{0x02, 0}}, fault.InvalidArgument},
		"another's property":    {Message{Topic: "a", Properties: []byte{0x21, 0, 1}}, fault.InvalidArgument},
		"a topic alias":         {Message{Topic: "a", Properties: []byte{0x23, 0, 1}}, fault.InvalidArgument},
		"a subscription number": {Message{Topic: "a", Properties: []byte{0x0B, 1}}, fault.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.code, fault.CodeOf(h.s.Publish(soon(t), c.m)))
		})
	}
}

func TestQueueFull(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxOutgoing = 2 })
	h.set(func() { h.dialErr = errReset })
	a, b := h.publish(Message{Topic: "t"}), h.publish(Message{Topic: "t", QoS: 1})
	assert.Equal(t, fault.QueueFull, fault.CodeOf(h.s.Publish(soon(t), Message{Topic: "t"})))
	require.NoError(t, h.s.Close(soon(t)))
	assert.Equal(t, fault.Closed, fault.CodeOf(result(t, a)), "each settles on close")
	assert.Equal(t, fault.Closed, fault.CodeOf(result(t, b)))
}

func TestPublishEndsWithItsContext(t *testing.T) {
	h := newHarness(t, nil)
	ctx, cancel := context.WithCancel(bg)
	result := make(chan error, 1)
	go func() { result <- h.s.Publish(ctx, Message{Topic: "t", Payload: []byte("forgotten")}) }()
	require.Eventually(t, func() bool { return h.outgoing() == 1 }, patience, time.Millisecond)
	cancel()
	assert.Equal(t, fault.Aborted, fault.CodeOf(<-result))
	assert.Zero(t, h.outgoing())
	assert.Equal(t, fault.Aborted, fault.CodeOf(h.s.Publish(ctx, Message{Topic: "t"})))
	b := h.online()
	h.settled()
	b.silent()
}

func TestPublishFromAHandler(t *testing.T) {
	var h *harness
	errs := make(chan error, 100)
	h = newHarness(t, func(c *Config) {
		c.MaxBacklog = 2
		c.Deliver = func(m []Message) {
			for range m {
				errs <- h.s.Publish(soon(t), Message{Topic: "answer", QoS: 1})
			}
		}
	})
	b := h.online()
	b.send(push(0, "t", "question"))
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	for range 10 { // more than may wait; the acknowledgement is behind them
		b.send(push(0, "t", "noise"))
		require.Eventually(t, func() bool { h.sync(); return len(b.toClient) == 0 }, patience, time.Millisecond)
	}
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	require.NoError(t, <-errs)
	require.Eventually(t, func() bool { return h.s.Dropped() > 0 }, patience, time.Millisecond, "QoS 0 made room")
}

func TestManyMessagesInOrderUnderBackPressure(t *testing.T) {
	const n = 20000
	got := make(chan string, n)
	h := newHarness(t, func(c *Config) {
		c.MaxBacklog, c.ReceiveMaximum = 16, 65535
		c.Deliver = func(m []Message) {
			for _, m := range m {
				got <- string(m.Payload)
			}
		}
	})
	b := h.online()
	var chunk []byte
	for i := range n {
		chunk = append(chunk, b.encode(push(uint16(i%2*(i+1)), "t", strconv.Itoa(i)))...)
		if i%7 == 0 || i == n-1 {
			b.raw(chunk)
			chunk = nil
		}
	}
	for i := range n {
		select {
		case s := <-got:
			require.Equal(t, strconv.Itoa(i), s)
		case <-time.After(patience):
			require.FailNow(t, "stuck", "at %d", i)
		}
	}
	for i := 1; i < n; i += 2 {
		require.Equal(t, uint16(i+1), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
	assert.Zero(t, h.s.Dropped())
}

func TestTheReaderWaitsForASlowHandler(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.MaxBacklog = 1
		deliver := c.Deliver
		c.Deliver = func(m []Message) { <-release; deliver(m) }
	})
	b := h.online()
	const n = 500
	for i := range n {
		b.send(push(0, "t", strconv.Itoa(i)))
	}
	require.Eventually(t, func() bool {
		held := make(chan bool, 1)
		h.s.post(func(l *loop) { held <- !l.reading() && len(l.link.chunks) == chunksAhead })
		return <-held
	}, patience, time.Millisecond)
	assert.Greater(t, len(b.toClient), n-turnMax-chunksAhead-10, "the rest stays in the network")
	// The keep alive goes on meanwhile, and what is not read is not missed.
	for range 5 {
		h.tick()
		h.wroteAll()
	}
	assert.Equal(t, Online, h.s.State().State, h.s.State().Reason)
	close(release)
	for i := 0; i < n; {
		for _, m := range h.batch() {
			require.Equal(t, strconv.Itoa(i), string(m.Payload))
			i++
		}
	}
	assert.Zero(t, h.s.Dropped())
}
