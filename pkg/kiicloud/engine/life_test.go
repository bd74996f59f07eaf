package engine

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// expectEnd expects the end of a connection that was let in: DISCONNECT with the code on
// MQTT 5, nothing but the close on 3.x, and a close frame that says why on a WebSocket.
func expectEnd(t *testing.T, w way, client *guardtest.Client, code mqtt.ReasonCode) {
	t.Helper()
	if w.version == mqtt.V5 {
		p := client.Expect(mqtt.DISCONNECT)
		require.Equal(t, code, p.Code())
		require.NotEmpty(t, p.Properties().ReasonString)
	}
	client.ExpectClosed()
	if strings.HasPrefix(w.transport, "ws") {
		_, reason := client.CloseFrame()
		require.NotEmpty(t, reason)
	}
}

func TestTheNewerConnectionWins(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		for i, w := range ways {
			t.Run(w.String(), func(t *testing.T) {
				inst := q.install(t, installationFor(i))
				older := c.subscribe(w, inst, qos1)
				c.push(inst, 0, 20)
				var acks []byte
				for n := range 20 {
					if id := receive(t, older, inst, n); n < 15 {
						acks = append(acks, guardtest.Puback(id)...)
					}
				}
				older.Send(acks)
				older.ExpectAlive() // the acknowledgements were read
				newer := c.subscribe(w, inst, qos1)
				expectEnd(t, w, older, mqtt.SessionTakenOver)
				for n := 15; n < 20; n++ {
					receive(t, newer, inst, n)
				}
				newer.ExpectAlive()
			})
		}
	})
}

func TestOfManyConnectionsExactlyOneStays(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	const rivals = 20
	var wg sync.WaitGroup
	clients := make([]*guardtest.Client, rivals)
	for i := range clients {
		clients[i] = c.dial(ways[i%len(ways)])
		wg.Go(func() {
			w := ways[i%len(ways)]
			_ = clients[i].TrySend(guardtest.Connect(w.version, c.hello(inst)),
				guardtest.Subscribe(w.version, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: 1}))
		})
	}
	wg.Wait()
	require.Eventually(t, func() bool { return c.e.Stats().Connections == 1 }, guardtest.Patience, 5*time.Millisecond)
	c.push(inst, 0, 50)
	received := 0
	for _, client := range clients {
		select {
		case <-client.Gone():
		default:
			for received < 50 {
				if p := client.Next(); p.Type() == mqtt.PUBLISH {
					client.Send(guardtest.Puback(p.Publish().PacketID))
					received++
				}
			}
		}
	}
	require.Equal(t, 50, received)
	c.eventuallyPending(inst, 0)
}

func TestRevokeEndsConnectionPasswordAndQueue(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		for i, w := range ways {
			t.Run(w.String(), func(t *testing.T) {
				inst := q.install(t, installationFor(i))
				hello := c.hello(inst)
				client := c.subscribe(w, inst, qos1)
				c.push(inst, 0, 3)
				for n := range 3 {
					receive(t, client, inst, n)
				}
				q.uninstall(t, inst)
				require.NoError(t, c.e.Revoke(context.Background(), inst))
				expectEnd(t, w, client, mqtt.AdministrativeAction)
				require.Zero(t, c.pending(inst))
				require.NoError(t, c.e.Publish(context.Background(), []store.Installation{inst}, pushFor(inst, 4)), "who is gone is left out")
				require.Zero(t, c.pending(inst))

				again := c.dial(w)
				again.Send(guardtest.Connect(w.version, hello))
				expectRefused(t, w, again, mqtt.NotAuthorized, 5)
			})
		}
	})
}

// expectRefused expects a CONNACK that refuses, and the end.
func expectRefused(t *testing.T, w way, client *guardtest.Client, code mqtt.ReasonCode, returnCode byte) {
	t.Helper()
	ack := client.Expect(mqtt.CONNACK)
	if w.version == mqtt.V5 {
		require.Equal(t, code, ack.Code())
		require.NotEmpty(t, ack.Properties().ReasonString)
	} else {
		require.Equal(t, mqtt.ReasonCode(returnCode), ack.Code())
	}
	client.ExpectClosed()
}

func TestBadCredentialsAreRefused(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst, other := c.q.install(t, installationFor(1)), c.q.install(t, installationFor(2))
	lapsed := c.e.credentials.Issue(inst.ID, inst.Topic, -time.Second)
	foreign, err := NewCredentials([]byte(strings.Repeat("x", MinSecret)))
	require.NoError(t, err)
	cases := []struct {
		name   string
		change func(*guardtest.Hello)
	}{
		{"no user name and password", func(h *guardtest.Hello) { h.Username, h.Password = "", "" }},
		{"no password", func(h *guardtest.Hello) { h.Password = "" }},
		{"another's user name", func(h *guardtest.Hello) { h.Username = other.ID }},
		{"another's client identifier", func(h *guardtest.Hello) { h.ClientID = other.Topic }},
		{"a password with one letter changed", func(h *guardtest.Hello) {
			b := []byte(h.Password)
			b[3] ^= 1
			h.Password = string(b)
		}},
		{"no password at all", func(h *guardtest.Hello) { h.Password = "secret" }},
		{"a password of another secret", func(h *guardtest.Hello) { h.Password = foreign.Issue(inst.ID, inst.Topic, time.Hour) }},
		{"a lapsed password", func(h *guardtest.Hello) { h.Password = lapsed }},
	}
	for _, w := range []way{{"tcp", mqtt.V31}, {"tcp", mqtt.V311}, {"ws", mqtt.V5}} {
		standing := c.subscribe(w, inst, qos1)
		for _, tc := range cases {
			t.Run(w.String()+" "+tc.name, func(t *testing.T) {
				hello := c.hello(inst)
				tc.change(&hello)
				client := c.dial(w)
				client.Send(guardtest.Connect(w.version, hello))
				expectRefused(t, w, client, mqtt.BadUserNameOrPassword, 4)
			})
		}
		standing.ExpectAlive() // nobody without the password displaces a connection
	}
}

func TestEndpointsAreGoodSideBySide(t *testing.T) {
	c := start(t, newMemory(), func(cfg *EmbeddedConfig) {
		cfg.Ports = func() (tcp, ssl, ws, wss int) { return 1, 2, 3, 4 }
	})
	inst := c.q.install(t, installationFor(1))
	one, err := c.e.Endpoint(context.Background(), inst)
	require.NoError(t, err)
	two, err := c.e.Endpoint(context.Background(), inst)
	require.NoError(t, err)
	require.Equal(t, Endpoint{Username: one.Username, Password: one.Password, Topic: inst.Topic, Host: "localhost",
		PortTCP: 1, PortSSL: 2, PortWS: 3, PortWSS: 4, TTL: DefaultTTL}, one)
	require.Equal(t, one.Topic, two.Topic)
	require.NotEqual(t, one.Password, two.Password)
	for _, ep := range []Endpoint{one, two, one} {
		c.connect(tcp5, inst, func(h *guardtest.Hello) { h.Password = ep.Password })
	}
}

func TestConnectionEndsWhenItsPasswordLapses(t *testing.T) {
	c := start(t, newMemory(), func(cfg *EmbeddedConfig) { cfg.TTL = 2 * time.Second })
	for w, client := range c.connectAll(60) {
		expectEnd(t, w, client, mqtt.MaximumConnectTime)
	}
}

// connectAll opens a connection for an installation of its own in each way.
func (c *cloud) connectAll(keepAlive uint16) map[way]*guardtest.Client {
	clients := make(map[way]*guardtest.Client)
	for i, w := range ways {
		inst := c.q.install(c.t, installationFor(i))
		clients[w] = c.connect(w, inst, func(h *guardtest.Hello) { h.KeepAlive = keepAlive })
	}
	return clients
}

func TestShutdownSaysGoodbye(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		client := c.subscribe(w, inst, qos1)
		silent := c.dial(w) // has not sent CONNECT
		require.Eventually(t, func() bool { return c.e.Stats().Connections == 2 }, guardtest.Patience, time.Millisecond)
		c.close()
		expectEnd(t, w, client, mqtt.ServerShuttingDown)
		silent.ExpectClosed()
		require.Zero(t, c.e.Stats().Connections)
	})
}

func TestKeepAliveIsEnforced(t *testing.T) {
	c := start(t, newMemory(), nil)
	began := time.Now()
	for w, client := range c.connectAll(1) {
		expectEnd(t, w, client, mqtt.KeepAliveTimeout)
		require.Greater(t, time.Since(began), 1400*time.Millisecond) // how much later depends on the machine
	}
}

func TestSilentConnectionIsClosedBeforeConnect(t *testing.T) {
	c := start(t, newMemory(), func(cfg *EmbeddedConfig) { cfg.Limits.ConnectTimeout = 50 * time.Millisecond })
	for _, transport := range []string{"tcp", "ws"} {
		client := c.dial(way{transport, mqtt.V311})
		_ = client.TrySend([]byte{0x10}) // half a packet does not help
		client.ExpectClosed()
	}
}

// subscribeAndStall subscribes on a connection without any buffer, and then reads no more.
func subscribeAndStall(t *testing.T, c *cloud, inst store.Installation) {
	here, there := net.Pipe()
	t.Cleanup(func() { _ = there.Close() })
	go c.e.Serve(here)
	for _, pkt := range [][]byte{guardtest.Connect(mqtt.V5, c.hello(inst)),
		guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: 1})} {
		_, err := there.Write(pkt)
		require.NoError(t, err)
		_, err = there.Read(make([]byte, 1000)) // the whole answer
		require.NoError(t, err)
	}
}

func TestTakingOverAStuckConnectionIsQuick(t *testing.T) {
	c := start(t, newMemory(), func(cfg *EmbeddedConfig) {
		cfg.Limits = guard.Limits{WriteTimeout: time.Hour}
	})
	inst := c.q.install(t, installationFor(1))
	subscribeAndStall(t, c, inst)
	c.push(inst, 0, 10)
	client := c.subscribe(tcp5, inst, qos1) // within guardtest.Patience
	require.Equal(t, "id-0", messageID(client.Expect(mqtt.PUBLISH)))
}

func TestStoreFailureAtConnectIsAnswered(t *testing.T) {
	q := &failing{memory: newMemory()}
	c := start(t, q, nil)
	inst := q.install(t, installationFor(1))
	for _, w := range []way{tcp4, ws5} {
		client := c.dial(w)
		client.Send(guardtest.Connect(w.version, c.hello(inst)))
		expectRefused(t, w, client, mqtt.ServerUnavailable, 3)
	}
}

// failing is a queue that finds nothing out.
type failing struct{ *memory }

func (failing) InstallationByTopic(context.Context, string) (store.Installation, error) {
	return store.Installation{}, errStore
}
