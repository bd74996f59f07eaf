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
		"SUBACK: no such topic filter": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.TopicFilterInvalid)
		}, Failed, fault.InvalidArgument, 0x8F},
		"DISCONNECT: administrative action": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS1)
			b.send(&mqtt.Disconnect{ReasonCode: mqtt.AdministrativeAction})
		}, Closed, fault.Revoked, 0x98},
		"AUTH": {func(b *pipe) {
			b.raw(unhex("F0 09 18 07 15 00 04 61 62 63 64"))
			assert.Equal(t, mqtt.ProtocolError, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
		}, Failed, fault.Unsupported, 0x8C},
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

// A hook may give one error to several sessions: none of them writes to it.
func TestAHooksErrorIsItsOwn(t *testing.T) {
	shared := fault.New(fault.Forbidden, "not for you")
	fails := func(c *Config) {
		c.Endpoint = func(context.Context, bool) (Endpoint, error) { return Endpoint{}, shared }
	}
	for _, h := range []*harness{newHarness(t, fails), newHarness(t, fails)} {
		<-h.s.Done()
		assert.Same(t, shared, h.s.State().Err)
	}
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
		"QoS 3":     {Config{Endpoint: func(context.Context, bool) (Endpoint, error) { return Endpoint{}, nil }, Deliver: func([]Message) {}, QoS: 3}, fault.InvalidArgument},
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
