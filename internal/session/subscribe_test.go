package session

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// answer is what Subscribe and Unsubscribe give.
type answer struct {
	granted byte
	err     error
}

// subscribe calls Subscribe in the background, and returns once it is in the line.
func (h *harness) subscribe(filter string, qos byte) chan answer {
	h.t.Helper()
	return h.asks(func() (byte, error) { return h.s.Subscribe(bg, filter, qos) })
}

func (h *harness) unsubscribe(filter string) chan answer {
	h.t.Helper()
	return h.asks(func() (byte, error) { return 0, h.s.Unsubscribe(bg, filter) })
}

func (h *harness) asks(call func() (byte, error)) chan answer {
	h.t.Helper()
	before := h.asked()
	result := make(chan answer, 1)
	go func() {
		granted, err := call()
		result <- answer{granted, err}
	}()
	require.Eventually(h.t, func() bool { return h.asked() > before || len(result) > 0 }, patience, time.Millisecond)
	return result
}

// asked counts the requests that wait.
func (h *harness) asked() int {
	n := make(chan int, 1)
	if !h.s.post(func(l *loop) { n <- len(l.out.asks.list) }) {
		return 0
	}
	return <-n
}

func answered(t testing.TB, c chan answer) answer {
	t.Helper()
	select {
	case a := <-c:
		return a
	case <-time.After(patience):
		require.FailNow(t, "no answer")
		return answer{}
	}
}

// grants plays SUBSCRIBE and SUBACK for one filter.
func (p *pipe) grants(filter string, qos, code byte) {
	p.t.Helper()
	s := p.subscribe(mqtt.ReasonCode(code))
	require.Equal(p.t, []mqtt.Subscription{{Filter: filter, QoS: qos}}, s.Subscriptions)
}

func TestSubscribeAndUnsubscribe(t *testing.T) {
	for name, v := range map[string]mqtt.Version{"5": mqtt.V5, "3.1.1": mqtt.V311, "3.1": mqtt.V31} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = v })
			b := h.online()
			one := h.subscribe("a/+", 2)
			b.grants("a/+", 2, 1)
			assert.Equal(t, answer{granted: 1}, answered(t, one))

			off := h.unsubscribe("a/+")
			u := b.expect(mqtt.UNSUBSCRIBE).(*mqtt.Unsubscribe)
			assert.Equal(t, []string{"a/+"}, u.Filters)
			ack := &mqtt.Unsuback{PacketID: u.PacketID}
			if v == mqtt.V5 {
				ack.ReasonCodes = []mqtt.ReasonCode{mqtt.NoSubscriptionExisted}
			}
			b.send(ack)
			assert.Equal(t, answer{}, answered(t, off))
			b, _ = h.again(b, &mqtt.Connack{})
			h.settled()
			b.silent()
		})
	}
}

func TestSubscriptionsRefused(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	one := h.subscribe("a/#", 1)
	s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	b.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.NotAuthorized}, Properties: mqtt.Properties{ReasonString: "not yours"}})
	err := answered(t, one).err
	assert.Equal(t, fault.Forbidden, fault.CodeOf(err))
	assert.ErrorContains(t, err, "Not authorized (not yours)")
	off := h.unsubscribe("a/#")
	u := b.expect(mqtt.UNSUBSCRIBE).(*mqtt.Unsubscribe)
	b.send(&mqtt.Unsuback{PacketID: u.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.ImplementationSpecificError}})
	assert.Equal(t, fault.ServerError, fault.CodeOf(answered(t, off).err))
	assert.Equal(t, Online, h.s.State().State)
	b, _ = h.again(b, &mqtt.Connack{})
	h.settled()
	b.silent()
}

// An UNSUBACK that answers for more filters than one breaks the protocol.
func TestAnUnsubackHasOneReasonCode(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	off := h.unsubscribe("a")
	u := b.expect(mqtt.UNSUBSCRIBE).(*mqtt.Unsubscribe)
	b.send(&mqtt.Unsuback{PacketID: u.PacketID, ReasonCodes: []mqtt.ReasonCode{0, 0}})
	assert.Equal(t, byte(mqtt.ProtocolError), byte(b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode))
	assert.Equal(t, fault.ProtocolError, h.next(Waiting).Code)
	assert.Empty(t, off, "it is asked again")
	h.tick()
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	u = b.expect(mqtt.UNSUBSCRIBE).(*mqtt.Unsubscribe)
	b.send(&mqtt.Unsuback{PacketID: u.PacketID, ReasonCodes: []mqtt.ReasonCode{0}})
	assert.Equal(t, answer{}, answered(t, off))
}

func TestSubscriptionsRefusedBeforeMQTT5(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	one := h.subscribe("a", 1)
	b.grants("a", 1, 0x80)
	assert.Equal(t, fault.ServerError, fault.CodeOf(answered(t, one).err))
}

func TestSubscribeArguments(t *testing.T) {
	h := newHarness(t, nil)
	zero, small := byte(0), uint32(64)
	h.next(Connecting)
	b := h.welcome(&mqtt.Connack{Properties: mqtt.Properties{WildcardSubAvailable: &zero, SharedSubAvailable: &zero, MaximumPacketSize: &small}})
	h.next(Online)
	for name, c := range map[string]struct {
		filter string
		qos    byte
		code   fault.Code
	}{
		"no filter":             {"", 0, fault.InvalidArgument},
		"a misplaced wildcard":  {"a#", 0, fault.InvalidArgument},
		"QoS 3":                 {"a", 3, fault.InvalidArgument},
		"the connection's own":  {"topic-1", 0, fault.InvalidArgument},
		"wildcards are not had": {"a/#", 0, fault.Unsupported},
		"shared ones neither":   {"$share/g/a", 0, fault.Unsupported},
		"too long":              {strings.Repeat("a", 64), 0, fault.PacketTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.s.Subscribe(soon(t), c.filter, c.qos)
			assert.Equal(t, c.code, fault.CodeOf(err))
		})
	}
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(h.s.Unsubscribe(soon(t), "topic-1")))
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(h.s.Unsubscribe(soon(t), "")))
	assert.Zero(t, h.asked())
	h.settled()
	b.silent()
	good := h.subscribe("good", 0)
	b.grants("good", 0, 0)
	require.NoError(t, answered(t, good).err)
}

func TestSubscriptionsAreRenewedWithALostSession(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.NoContest = true })
	b := h.online()
	for _, filter := range []string{"a", "b"} {
		one := h.subscribe(filter, 2)
		b.grants(filter, 2, 1)
		require.NoError(t, answered(t, one).err)
	}
	b, _ = h.again(b, &mqtt.Connack{SessionPresent: true})
	h.settled()
	b.silent()
	b, _ = h.again(b, &mqtt.Connack{})
	b.grants("a", 2, 2)
	s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	assert.Equal(t, "b", s.Subscriptions[0].Filter)

	// Interrupted while it is renewed, it is renewed all the same.
	b, _ = h.again(b, &mqtt.Connack{SessionPresent: true})
	s = b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	assert.Equal(t, "b", s.Subscriptions[0].Filter)
	b.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.QuotaExceeded}})
	c := h.next(Online)
	assert.Equal(t, fault.RateLimited, c.Code)
	assert.Contains(t, c.Reason, "not subscribed to b any more")
	b, _ = h.again(b, &mqtt.Connack{})
	b.grants("a", 2, 2)
	h.settled()
	b.silent()
}

// MQTT 3.1 does not tell whether the session is there, so they are renewed always.
func TestSubscriptionsAreRenewedOnMQTT31(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V31 })
	b := h.online()
	one := h.subscribe("a", 0)
	b.grants("a", 0, 0)
	require.NoError(t, answered(t, one).err)
	b, _ = h.again(b, &mqtt.Connack{})
	b.grants("a", 0, 0)
}

func TestRequestsOutliveAConnection(t *testing.T) {
	h := newHarness(t, nil)
	one := h.subscribe("a", 1) // before there is one
	off := h.unsubscribe("b")
	b := h.online()
	b.expect(mqtt.SUBSCRIBE)
	b.expect(mqtt.UNSUBSCRIBE)
	b, _ = h.again(b, &mqtt.Connack{SessionPresent: true})
	b.grants("a", 1, 1)
	u := b.expect(mqtt.UNSUBSCRIBE).(*mqtt.Unsubscribe)
	b.send(&mqtt.Unsuback{PacketID: u.PacketID, ReasonCodes: []mqtt.ReasonCode{0}})
	assert.Equal(t, answer{granted: 1}, answered(t, one))
	assert.Equal(t, answer{}, answered(t, off))
}

func TestRequestsSettle(t *testing.T) {
	t.Run("on close", func(t *testing.T) {
		h := newHarness(t, nil)
		b := h.online()
		sent := h.subscribe("a", 1)
		b.expect(mqtt.SUBSCRIBE)
		require.NoError(t, h.s.Close(soon(t)))
		assert.Equal(t, fault.Closed, fault.CodeOf(answered(t, sent).err))
		assert.Equal(t, fault.Closed, fault.CodeOf(h.s.Unsubscribe(bg, "a")))
	})
	t.Run("when displaced", func(t *testing.T) {
		h := newHarness(t, nil)
		b := h.online()
		off := h.unsubscribe("a")
		b.expect(mqtt.UNSUBSCRIBE)
		b.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
		assert.Equal(t, fault.Displaced, fault.CodeOf(answered(t, off).err))
		assert.Equal(t, fault.Displaced, fault.CodeOf(h.s.Unsubscribe(bg, "a")))
	})
	t.Run("when the broker ends the connection over it", func(t *testing.T) {
		h := newHarness(t, nil)
		b := h.online()
		bad := h.subscribe("a/#", 1)
		b.expect(mqtt.SUBSCRIBE)
		b.send(&mqtt.Disconnect{ReasonCode: mqtt.WildcardSubscriptionsNotSupported})
		assert.Equal(t, fault.Unsupported, fault.CodeOf(answered(t, bad).err))
		h.next(Waiting)
		h.tick()
		h.next(Connecting)
		b = h.welcome(&mqtt.Connack{})
		h.next(Online)
		h.settled()
		b.silent()
	})
	t.Run("when too many wait", func(t *testing.T) {
		h := newHarness(t, func(c *Config) { c.MaxOutgoing = 1 })
		h.set(func() { h.dialErr = errReset })
		h.subscribe("a", 1)
		_, err := h.s.Subscribe(bg, "b", 1)
		assert.Equal(t, fault.QueueFull, fault.CodeOf(err))
	})
	t.Run("with the context", func(t *testing.T) {
		h := newHarness(t, nil)
		h.set(func() { h.dialErr = errReset })
		ctx, cancel := context.WithCancel(bg)
		one := h.asks(func() (byte, error) { return h.s.Subscribe(ctx, "a", 1) })
		cancel()
		assert.Equal(t, fault.Aborted, fault.CodeOf(answered(t, one).err))
		assert.Zero(t, h.asked())
		assert.Equal(t, fault.Aborted, fault.CodeOf(h.s.Unsubscribe(ctx, "a")))
	})
}
