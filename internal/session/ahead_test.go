package session

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// dialed awaits the next connection, and tells whether SUBSCRIBE came in one write with CONNECT.
func (h *harness) dialed() (b *pipe, ahead bool) {
	h.t.Helper()
	h.next(Connecting)
	b = h.accept()
	b.expect(mqtt.CONNECT)
	return b, b.ahead != nil
}

// retried awaits the next attempt after a wait.
func (h *harness) retried() (b *pipe, ahead bool) {
	h.t.Helper()
	h.next(Waiting)
	h.tick()
	return h.dialed()
}

func TestSubscribeGoesWithConnect(t *testing.T) {
	for version, want := range map[mqtt.Version]bool{mqtt.V5: true, mqtt.V311: true, mqtt.V31: false} {
		t.Run(versionName(version), func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = version })
			b, ahead := h.dialed()
			assert.Equal(t, want, ahead)
			h.wroteAll()
			b.silent()
			b.send(&mqtt.Connack{})
			s := b.subscribe(mqtt.GrantedQoS1)
			assert.Equal(t, []mqtt.Subscription{{Filter: "topic-1", QoS: 1}}, s.Subscriptions)
			h.next(Online)
			h.wroteAll()
			b.silent()
		})
	}
}

// A broker may answer both at once, with messages behind them.
func TestOneChunkBringsOnline(t *testing.T) {
	h := newHarness(t, nil)
	b, _ := h.dialed()
	s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	b.send(&mqtt.Connack{}, push(1, "topic-1", "before"), &mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{1}}, push(2, "topic-1", "behind"))
	h.next(Online)
	got := h.batch()
	for len(got) < 2 {
		got = append(got, h.batch()...)
	}
	assert.Equal(t, "before", string(got[0].Payload))
	assert.Equal(t, "behind", string(got[1].Payload))
}

func TestTroubleBeforeSubackHasSubscribeWait(t *testing.T) {
	for name, end := range map[string]func(h *harness, b *pipe){
		"closed before CONNACK": func(_ *harness, b *pipe) { b.close(&transport.CloseError{Code: 1006}) },
		"closed behind CONNACK": func(_ *harness, b *pipe) {
			b.send(&mqtt.Connack{})
			b.close(&transport.CloseError{Code: 1002})
		},
		"no CONNACK": func(h *harness, _ *pipe) { h.until(func() bool { return h.s.State().State == Waiting }) },
		"no SUBACK": func(h *harness, b *pipe) {
			b.send(&mqtt.Connack{})
			h.until(func() bool { return h.s.State().State == Waiting })
		},
		"CONNACK: protocol error":   func(_ *harness, b *pipe) { b.send(&mqtt.Connack{ReasonCode: mqtt.ProtocolError}) },
		"CONNACK: malformed packet": func(_ *harness, b *pipe) { b.send(&mqtt.Connack{ReasonCode: mqtt.MalformedPacket}) },
		"DISCONNECT before CONNACK": func(_ *harness, b *pipe) { b.send(&mqtt.Disconnect{ReasonCode: mqtt.ProtocolError}) },
		"DISCONNECT in its place":   func(_ *harness, b *pipe) { b.send(&mqtt.Connack{}, &mqtt.Disconnect{ReasonCode: mqtt.ProtocolError}) },
		"SUBACK comes before":       func(_ *harness, b *pipe) { b.send(&mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{1}}) },
		"a SUBACK of something else": func(_ *harness, b *pipe) {
			b.send(&mqtt.Connack{}, &mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{1}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b, ahead := h.dialed()
			require.True(t, ahead)
			end(h, b)
			b, ahead = h.retried()
			assert.False(t, ahead)
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS1)
			h.next(Online)
			b.close(&transport.CloseError{Code: 1006})
			_, ahead = h.retried()
			assert.False(t, ahead, "and it stays so")
		})
	}
}

func TestARefusalIsNotItsFault(t *testing.T) {
	for name, refuse := range map[string]func(b *pipe){
		"CONNACK": func(b *pipe) { b.send(&mqtt.Connack{ReasonCode: mqtt.BadUserNameOrPassword}) },
		"SUBACK": func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.NotAuthorized)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b, _ := h.dialed()
			refuse(b)
			b, ahead := h.retried()
			assert.True(t, ahead)
			assert.Equal(t, []bool{false, true}, h.fetched())
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS1)
			h.next(Online)
		})
	}
}

func TestABrokenRuleWithoutItEndsTheSession(t *testing.T) {
	h := newHarness(t, nil)
	b, _ := h.dialed()
	b.send(&mqtt.Connack{ReasonCode: mqtt.ProtocolError})
	b, _ = h.retried()
	b.send(&mqtt.Connack{ReasonCode: mqtt.ProtocolError})
	assert.Equal(t, fault.ProtocolError, h.next(Failed).Code)
}

func TestAnOlderVersionIsNotItsFault(t *testing.T) {
	for name, answer := range map[string]string{"in MQTT 5": "20 03 00 84 00", "in MQTT 3.1.1": "20 02 00 01"} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b, _ := h.dialed()
			b.raw(unhex(answer))
			b, ahead := h.dialed()
			assert.True(t, ahead)
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS1)
			h.next(Online)
		})
	}
}

// What waits for its acknowledgement keeps its packet identifier, and goes out behind SUBACK; so does what is renewed.
func TestAheadOfWhatIsSentAgain(t *testing.T) {
	for name, present := range map[string]bool{"session present": true, "session lost": false} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.online()
			more := make(chan error, 1)
			go func() {
				_, err := h.s.Subscribe(bg, "more", 1)
				more <- err
			}()
			b.subscribe(mqtt.GrantedQoS1)
			require.NoError(t, result(t, more))
			one := h.publish(Message{Topic: "t", QoS: 1})
			first := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
			h.set(func() { h.endpoint.Topic = "topic-2" })
			b.close(errReset)

			b, ahead := h.retried()
			require.True(t, ahead)
			assert.NotEqual(t, first.PacketID, b.ahead.PacketID)
			h.wroteAll()
			assert.Empty(t, b.frame)
			b.send(&mqtt.Connack{SessionPresent: present})
			assert.Equal(t, "topic-2", b.subscribe(mqtt.GrantedQoS1).Subscriptions[0].Filter)
			if !present {
				assert.Equal(t, "more", b.subscribe(mqtt.GrantedQoS1).Subscriptions[0].Filter)
			}
			second := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
			assert.Equal(t, first.PacketID, second.PacketID)
			assert.Equal(t, present, second.Dup)
			b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: second.PacketID})
			require.NoError(t, result(t, one))
			h.next(Online)
		})
	}
}
