package session

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

var bg = context.Background()

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(bg, patience)
	t.Cleanup(cancel)
	return ctx
}

func TestConnectAndSubscribe(t *testing.T) {
	h := newHarness(t, nil)
	b := h.accept()
	c := b.expect(mqtt.CONNECT).(*mqtt.Connect)
	assert.Equal(t, "topic-1", c.ClientID)
	assert.Equal(t, "user", c.Username)
	assert.Equal(t, "secret", string(c.Password))
	assert.Equal(t, uint16(60), c.KeepAlive)
	assert.False(t, c.CleanStart)
	assert.Equal(t, uint32(3600), *c.Properties.SessionExpiry)
	assert.Equal(t, uint16(1024), *c.Properties.ReceiveMaximum)
	assert.Equal(t, uint32(1<<20), *c.Properties.MaximumPacketSize)
	assert.Nil(t, c.Properties.TopicAliasMaximum)

	b.send(&mqtt.Connack{})
	s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	assert.Equal(t, []mqtt.Subscription{{Filter: "topic-1", QoS: 1}}, s.Subscriptions)
	h.settled()
	assert.Equal(t, Connecting, h.s.State().State, "CONNACK alone is not online")

	b.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.GrantedQoS1}})
	require.NoError(t, h.s.Ready(soon(t)))
	h.next(Connecting)
	assert.Equal(t, Change{State: Online, Reason: "subscribed", ReasonCode: -1}, h.next(Online))
	assert.Equal(t, []bool{false}, h.fetched())
}

func TestCleanStart(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.CleanStart = true; c.QoS = 0 })
	b := h.accept()
	c := b.expect(mqtt.CONNECT).(*mqtt.Connect)
	assert.True(t, c.CleanStart)
	assert.Nil(t, c.Properties.SessionExpiry)
	b.send(&mqtt.Connack{})
	assert.Equal(t, byte(0), b.subscribe(mqtt.Success).Subscriptions[0].QoS)
	require.NoError(t, h.s.Ready(soon(t)))
}

func TestSubscribesAgainThoughTheSessionWasKept(t *testing.T) {
	h := newHarness(t, nil)
	h.welcome(&mqtt.Connack{SessionPresent: true})
	require.NoError(t, h.s.Ready(soon(t)))
}

func TestReceive(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	one := push(7, "topic-1", `{"a":1}`)
	one.Retain, one.Dup = true, true
	one.Properties.ContentType = "application/json"
	b.send(one, push(0, "other", "second"))
	got := h.batch()
	require.Len(t, got, 2)
	assert.Equal(t, Message{
		Topic: "topic-1", Payload: []byte(`{"a":1}`), QoS: 1, Retain: true, Dup: true, PacketID: 7, Properties: got[0].Properties,
	}, got[0])
	props, err := mqtt.DecodeProperties(got[0].Properties)
	require.NoError(t, err)
	assert.Equal(t, "application/json", props.ContentType)
	assert.Equal(t, "other", got[1].Topic)
	assert.Equal(t, &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 7}, b.expect(mqtt.PUBACK))
	h.settled()
	b.silent()
}

func TestMessagesBeforeSuback(t *testing.T) {
	h := newHarness(t, nil)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{SessionPresent: true}, push(1, "topic-1", "kept for us"))
	assert.Equal(t, "kept for us", string(h.batch()[0].Payload))
	b.subscribe(mqtt.GrantedQoS1)
	require.NoError(t, h.s.Ready(soon(t)))
}

func TestAcknowledgementsLeaveInOneWriteAfterDeliverReturned(t *testing.T) {
	inside, release := make(chan int), make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.Deliver = func(m []Message) { inside <- len(m); <-release }
	})
	b := h.online()
	b.send(push(1, "a", "1"), push(2, "a", "2"), push(0, "a", "no acknowledgement"), push(3, "b", "3"))
	assert.Equal(t, 4, <-inside)
	h.sync()
	b.silent()
	release <- struct{}{}
	assert.Equal(t, []mqtt.Packet{
		&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 1},
		&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 2},
		&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 3},
	}, b.nextFrame())
}

func TestPacketsInPieces(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	stream := b.encode(push(1, "topic-1", "first"), push(2, "topic-1", "second"), push(3, "topic-1", "third"))
	for _, c := range stream {
		b.raw([]byte{c})
	}
	var got []string
	for len(got) < 3 {
		for _, m := range h.batch() {
			got = append(got, string(m.Payload))
		}
	}
	assert.Equal(t, []string{"first", "second", "third"}, got, "also long after the pieces were used again")
	for id := uint16(1); id <= 3; id++ {
		assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
}

func TestRepeatsAreAcknowledgedAndNotDelivered(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.send(marked(push(1, "t", "one"), "id-1"), marked(push(2, "t", "one again"), "id-1"), marked(push(3, "t", "two"), "id-2"))
	got := h.batch()
	require.Len(t, got, 2)
	assert.Equal(t, "one", string(got[0].Payload))
	assert.Equal(t, "two", string(got[1].Payload))
	for id := uint16(1); id <= 3; id++ {
		assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}

	b.close(errReset)
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	b = h.welcome(&mqtt.Connack{})
	h.next(Online)
	b.send(marked(push(9, "t", "two after the reconnection"), "id-2"), push(10, "t", "without an id"))
	got = h.batch()
	require.Len(t, got, 1)
	assert.Equal(t, "without an id", string(got[0].Payload))
	assert.Equal(t, uint16(9), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	assert.Equal(t, uint16(10), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
}

func TestAcknowledgementsOfALostConnectionAreNotSentOnTheNext(t *testing.T) {
	inside, release := make(chan int), make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.Deliver = func(m []Message) { inside <- len(m); <-release }
	})
	b := h.online()
	b.send(push(1, "t", "x"))
	<-inside
	b.close(errReset)
	for h.s.State().State != Waiting {
		h.sync()
	}
	h.tick()
	b = h.welcome(&mqtt.Connack{})
	require.NoError(t, h.s.Ready(soon(t)))
	release <- struct{}{}
	h.next(Waiting)
	h.settled()
	b.silent()
}

func TestReconnectWithBackoff(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.close(&transport.CloseError{Code: 1006})
	var waits []time.Duration
	h.set(func() { h.dialErr = fault.New(fault.Network, "no route") })
	for range 9 {
		c := h.next(Waiting)
		assert.Equal(t, fault.Network, c.Code)
		waits = append(waits, c.RetryIn)
		before := h.elapsed()
		h.until(func() bool { return len(h.changes) > 0 })
		assert.Equal(t, c.RetryIn, h.elapsed()-before)
		h.next(Connecting)
	}
	s := time.Second
	assert.Equal(t, []time.Duration{s / 2, s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s, 30 * s}, waits)
}

func TestTheBackoffIsResetByAStablePeriodOnly(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	fail := func() time.Duration {
		b.close(errReset)
		c := h.next(Waiting)
		h.tick()
		h.next(Connecting)
		b = h.welcome(&mqtt.Connack{})
		h.next(Online)
		return c.RetryIn
	}
	assert.Equal(t, time.Second/2, fail())
	assert.Equal(t, time.Second, fail(), "coming online is not enough")
	since := h.elapsed()
	h.until(func() bool { return h.elapsed()-since >= 30*time.Second })
	assert.Equal(t, time.Second/2, fail())
}

func TestRefreshWhenCredentialsAreRefused(t *testing.T) {
	h := newHarness(t, nil)
	h.next(Connecting)
	for n := range maxRefused {
		b := h.accept()
		c := b.expect(mqtt.CONNECT).(*mqtt.Connect)
		if n > 0 {
			assert.Equal(t, "fresh", string(c.Password))
		}
		h.set(func() { h.endpoint.Password = "fresh" })
		b.send(&mqtt.Connack{ReasonCode: mqtt.BadUserNameOrPassword})
		b.gone()
		if n < maxRefused-1 {
			assert.Equal(t, fault.BadCredentials, h.next(Waiting).Code)
			h.tick()
			h.next(Connecting)
		}
	}
	c := h.next(Failed)
	assert.Equal(t, fault.BadCredentials, c.Code)
	assert.Equal(t, 0x86, c.ReasonCode)
	assert.Equal(t, []bool{false, true, true}, h.fetched())
	<-h.s.Done()
	assert.Equal(t, fault.BadCredentials, fault.CodeOf(h.s.Ready(bg)))
}

func TestStops(t *testing.T) {
	for name, c := range map[string]struct {
		play  func(b *pipe)
		state State
		code  fault.Code
		mqtt  int
	}{
		"CONNACK: banned": {func(b *pipe) {
			b.send(&mqtt.Connack{ReasonCode: mqtt.Banned})
		}, Failed, fault.Forbidden, 0x8A},
		"SUBACK: not authorised": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.NotAuthorized)
		}, Failed, fault.Unauthorized, 0x87},
		"DISCONNECT: administrative action": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS1)
			b.send(&mqtt.Disconnect{ReasonCode: mqtt.AdministrativeAction})
		}, Closed, fault.Revoked, 0x98},
		"a 3.1.1 broker": {func(b *pipe) {
			b.raw([]byte{0x20, 2, 0, 1})
		}, Failed, fault.ProtocolVersion, 0x84},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.accept()
			b.expect(mqtt.CONNECT)
			c.play(b)
			b.gone()
			<-h.s.Done()
			got := h.s.State()
			assert.Equal(t, c.state, got.State)
			assert.Equal(t, c.code, got.Code)
			assert.Equal(t, c.mqtt, got.ReasonCode)
			assert.NotEmpty(t, got.Reason)
			assert.Equal(t, c.code, fault.CodeOf(h.s.Ready(bg)))
			assert.Equal(t, c.code, fault.CodeOf(h.s.Publish(bg, Message{Topic: "t"})))
			assert.Equal(t, c.code, fault.CodeOf(h.s.TakeBack()))
			require.NoError(t, h.s.Close(bg))
			assert.Equal(t, c.state, h.s.State().State, "an end is an end")
			h.s.Wake("online")
		})
	}
}

func TestTheReasonForACloseIsNotLost(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.send(push(0, "t", "last message"), &mqtt.Disconnect{ReasonCode: mqtt.ServerShuttingDown, Properties: mqtt.Properties{ReasonString: "upgrade"}})
	b.close(errReset)
	assert.Equal(t, "last message", string(h.batch()[0].Payload))
	c := h.next(Waiting)
	assert.Equal(t, 0x8B, c.ReasonCode)
	assert.Contains(t, c.Reason, "upgrade")
}

func TestDisplacedAndTakenBack(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
	c := h.next(Displaced)
	assert.Equal(t, fault.Displaced, c.Code)
	assert.Equal(t, 0x8E, c.ReasonCode)
	b.gone()
	assert.Equal(t, fault.Displaced, fault.CodeOf(h.s.Ready(bg)))
	assert.Equal(t, fault.Displaced, fault.CodeOf(h.s.Publish(bg, Message{Topic: "t", QoS: 1})))

	h.s.Wake("online")
	h.settled()
	timer, _ := h.clock.next()
	assert.Nil(t, timer, "nothing will bring it back by itself")
	assert.Empty(t, h.dials)
	select {
	case <-h.s.Done():
		t.Error("displaced is not final")
	default:
	}

	require.NoError(t, h.s.TakeBack())
	h.next(Connecting)
	h.welcome(&mqtt.Connack{})
	h.next(Online)
	require.NoError(t, h.s.TakeBack(), "nothing to do")
}

func TestEndpointErrors(t *testing.T) {
	h := newHarness(t, func(c *Config) {
		c.Endpoint = func(context.Context, bool) (Endpoint, error) {
			return Endpoint{}, fault.New(fault.NotFound, "no such installation")
		}
	})
	h.next(Connecting)
	c := h.next(Closed)
	assert.Equal(t, fault.Revoked, c.Code)
	<-h.s.Done()
}

func TestUnusableEndpoint(t *testing.T) {
	for name, e := range map[string]Endpoint{
		"user name": {URL: "wss://x", ClientID: "c", Username: "nul\x00", Topic: "t"},
		"topic":     {URL: "wss://x", ClientID: "c", Topic: "a#"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) {
				c.Endpoint = func(context.Context, bool) (Endpoint, error) { return e, nil }
			})
			b := h.accept()
			if name == "topic" {
				b.expect(mqtt.CONNECT)
				b.send(&mqtt.Connack{})
			}
			assert.Equal(t, fault.InvalidArgument, fault.CodeOf(h.s.Ready(soon(t))))
			b.gone()
		})
	}
}

func TestConfigurationErrors(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		code fault.Code
	}{
		"no hooks":  {Config{}, fault.InvalidArgument},
		"QoS 2":     {Config{Endpoint: func(context.Context, bool) (Endpoint, error) { return Endpoint{}, nil }, Deliver: func([]Message) {}, QoS: 2}, fault.Unsupported},
		"version 9": {Config{Endpoint: func(context.Context, bool) (Endpoint, error) { return Endpoint{}, nil }, Deliver: func([]Message) {}, Version: 9}, fault.ProtocolVersion},
	} {
		t.Run(name, func(t *testing.T) {
			s := Open(c.cfg)
			<-s.Done()
			assert.Equal(t, c.code, fault.CodeOf(s.Ready(bg)))
		})
	}
}

func TestReadyEndsWithItsContext(t *testing.T) {
	h := newHarness(t, func(c *Config) {
		c.Dial = func(context.Context, string, transport.Options) (transport.Conn, error) {
			return nil, fault.New(fault.Network, "no route")
		}
	})
	ctx, cancel := context.WithCancel(bg)
	cancel()
	assert.Equal(t, fault.Aborted, fault.CodeOf(h.s.Ready(ctx)))
	ctx, cancel = context.WithDeadline(bg, time.Unix(1, 0))
	defer cancel()
	h.next(Connecting)
	h.next(Waiting)
	err := h.s.Ready(ctx)
	assert.Equal(t, fault.Timeout, fault.CodeOf(err))
	assert.ErrorIs(t, err, &fault.Error{Code: fault.Network}, "what went wrong last is the cause")
}

func TestReadyTellsTheLastCauseWhileConnecting(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	expired, cancel := context.WithDeadline(bg, time.Unix(1, 0))
	defer cancel()
	b.close(&transport.CloseError{Code: 1011})
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	assert.ErrorIs(t, h.s.Ready(expired), &fault.Error{Code: fault.ServerError})
	b = h.welcome(&mqtt.Connack{})
	h.next(Online)
	h.set(func() { h.endpoint.Expires = t0.Add(-time.Second) })
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.MaximumConnectTime})
	h.next(Waiting)
	assert.NotErrorIs(t, h.s.Ready(expired), &fault.Error{Code: fault.ServerError}, "that was mended")
}
