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

func TestCloseInEveryState(t *testing.T) {
	hang := func(_ *harness, c *Config) {
		c.Endpoint = func(ctx context.Context, _ bool) (Endpoint, error) { <-ctx.Done(); return Endpoint{}, ctx.Err() }
	}
	hangDial := func(_ *harness, c *Config) {
		c.Dial = func(ctx context.Context, _ string, _ transport.Options) (transport.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	for name, c := range map[string]struct {
		change func(*harness, *Config)
		play   func(*testing.T, *harness) *pipe
		told   bool
	}{
		"fetching": {change: hang},
		"dialing":  {change: hangDial},
		"greeting": {play: func(_ *testing.T, h *harness) *pipe {
			b := h.accept()
			b.expect(mqtt.CONNECT)
			return b
		}, told: true},
		"subscribing": {play: func(_ *testing.T, h *harness) *pipe {
			b := h.accept()
			b.expect(mqtt.CONNECT)
			b.send(&mqtt.Connack{})
			b.expect(mqtt.SUBSCRIBE)
			return b
		}, told: true},
		"online": {play: func(_ *testing.T, h *harness) *pipe { return h.online() }, told: true},
		"waiting": {play: func(t *testing.T, h *harness) *pipe {
			b := h.online()
			b.close(errReset)
			h.next(Waiting)
			return b
		}},
		"displaced": {play: func(t *testing.T, h *harness) *pipe {
			b := h.online()
			b.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
			h.next(Displaced)
			return b
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var h *harness
			h = newHarness(t, func(cfg *Config) {
				if c.change != nil {
					c.change(h, cfg)
				}
			})
			var b *pipe
			if c.play != nil {
				b = c.play(t, h)
			}
			waiting := make(chan error, 1)
			go func() { waiting <- h.s.Publish(bg, Message{Topic: "t", QoS: 1}) }()
			if name != "displaced" && name != "online" {
				require.Eventually(t, func() bool { return h.outgoing() == 1 }, patience, time.Millisecond)
			}
			if name == "online" {
				b.expect(mqtt.PUBLISH)
			}
			if name == "displaced" {
				assert.Equal(t, fault.Displaced, fault.CodeOf(result(t, waiting)))
			}
			require.NoError(t, h.s.Close(soon(t)))
			<-h.s.Done()
			if name != "displaced" {
				assert.Equal(t, fault.Closed, fault.CodeOf(result(t, waiting)))
			}
			got := h.s.State()
			assert.Equal(t, Closed, got.State)
			assert.Equal(t, fault.Closed, got.Code)
			assert.Equal(t, fault.Closed, fault.CodeOf(h.s.Ready(bg)))
			assert.Equal(t, fault.Closed, fault.CodeOf(h.s.Publish(bg, Message{Topic: "t"})))
			require.NoError(t, h.s.Close(bg), "again")
			if b == nil {
				return
			}
			if c.told {
				assert.Equal(t, mqtt.Success, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
			}
			b.gone()
			b.silent()
		})
	}
}

func TestCloseIsBoundedInTime(t *testing.T) {
	for name, end := range map[string]func(h *harness, cancel func()){
		"by its own deadline": func(h *harness, _ func()) { h.clock.fire(h.t, 0) },
		"by the context":      func(_ *harness, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.online()
			close(b.deaf)
			ctx, cancel := context.WithCancel(bg)
			defer cancel()
			closed := make(chan error, 1)
			go func() { closed <- h.s.Close(ctx) }()
			h.next(Closed)
			end(h, cancel)
			err := result(t, closed)
			if name == "by the context" {
				assert.Equal(t, fault.Aborted, fault.CodeOf(err))
			} else {
				require.NoError(t, err)
				assert.Equal(t, 2*time.Second, h.elapsed())
			}
			b.gone()
			<-h.s.Done()
		})
	}
}

func TestCloseFromAHandler(t *testing.T) {
	var h *harness
	h = newHarness(t, func(c *Config) {
		deliver := c.Deliver
		c.Deliver = func(m []Message) {
			assert.NoError(t, h.s.Close(soon(t)))
			deliver(m)
		}
	})
	b := h.online()
	b.send(push(1, "t", "close"))
	b.send(push(2, "t", "too late"))
	b.expect(mqtt.DISCONNECT)
	h.batch()
	h.next(Closed)
	assert.Empty(t, h.batches, "what was not handed over before the close is not handed over")
	b.silent()
}

func TestChangesAndMessagesComeInOrder(t *testing.T) {
	var log []string
	done := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.Deliver = func(m []Message) {
			for _, m := range m {
				log = append(log, string(m.Payload))
			}
		}
		c.OnChange = func(c Change) {
			log = append(log, string(c.State))
			if c.State == Closed {
				close(done)
			}
		}
	})
	b := h.welcome(&mqtt.Connack{})
	b.send(push(0, "t", "one"), push(0, "t", "two"), &mqtt.Disconnect{ReasonCode: mqtt.AdministrativeAction})
	<-done
	assert.Equal(t, []string{"connecting", "online", "one", "two", "closed"}, log)
}

// What was handled before the goodbye is acknowledged before it, the rest comes with the next connection.
func TestCloseInTheMiddleOfABatch(t *testing.T) {
	for stop, want := range map[uint16][]uint16{0: {1, 2, 3}, 1: nil, 3: {1, 2}, 9: nil} {
		var h *harness
		closed := make(chan error, 1)
		h = newHarness(t, func(c *Config) {
			c.HandOver = func([]Message) func() uint16 { return func() uint16 { return stop } }
		})
		b := h.online()
		b.send(push(1, "t", "a"), push(2, "t", "b"), push(3, "t", "c"))
		h.settled()
		h.wroteAll()
		go func() { closed <- h.s.Close(soon(t)) }()
		for _, id := range want {
			assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
		}
		b.expect(mqtt.DISCONNECT)
		require.NoError(t, <-closed)
	}
}

// Who does not wait for the rest says how far it is when it is asked: what it has not come to then comes again.
func TestCloseWhileABatchIsHandled(t *testing.T) {
	for stop, want := range map[uint16][]uint16{0: {1, 2, 3}, 1: nil, 3: {1, 2}} {
		release, begun := make(chan struct{}), make(chan struct{}, 2)
		h := newHarness(t, func(c *Config) {
			c.HandOver = func([]Message) func() uint16 {
				return func() uint16 { begun <- struct{}{}; <-release; return 0 }
			}
			c.Stop = func() uint16 { return stop }
		})
		b := h.online()
		b.send(push(1, "t", "a"), push(2, "t", "b"), push(3, "t", "c"))
		<-begun
		require.NoError(t, h.s.Close(soon(t)))
		for _, id := range want {
			assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
		}
		b.expect(mqtt.DISCONNECT)
		close(release)
		b.gone()
		b.silent()
	}
}

// What is not handed over yet is not asked about.
func TestCloseBeforeABatchIsHandedOver(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{}, 1)
	h := newHarness(t, func(c *Config) {
		c.HandOver = func([]Message) func() uint16 { begun <- struct{}{}; <-release; return nil }
		c.Stop = func() uint16 { return 0 }
	})
	b := h.online()
	b.send(push(1, "t", "a"))
	<-begun
	require.NoError(t, h.s.Close(soon(t)))
	b.expect(mqtt.DISCONNECT)
	close(release)
	b.silent()
}

// The same of the short way, where the loader says it.
func TestExpressAcknowledgesUpToAMessage(t *testing.T) {
	r := ride(t, nil)
	acks, taken := r.read(r.b.encode(push(1, "a", "1"), push(2, "a", "2")))
	require.True(t, taken)
	_, taken = r.read(r.b.encode(push(3, "a", "3"), push(4, "a", "4")))
	require.True(t, taken)
	r.handled(-9)
	r.b.silent()
	r.handled(-4)
	for id := range uint16(3) {
		assert.Equal(t, id+1, r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
	r.handled(-4)
	r.b.silent()
	r.handled(acks)
	assert.Equal(t, uint16(4), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID, "where it goes on after all")
}
