package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// cloud is an engine on real listeners of the loopback interface.
type cloud struct {
	t     testing.TB
	e     *Embedded
	q     shelf
	tcp   string // host:port
	ws    string // ws:// URL
	tls   string // host:port
	wss   string // wss:// URL
	roots *tls.Config
	logs  *syncbuf.Buffer
	close func()
}

var secret = []byte("0123456789abcdef0123456789abcdef")

// start runs an engine until the test ends, or close is called.
func start(t testing.TB, q shelf, change func(*EmbeddedConfig)) *cloud {
	c := &cloud{t: t, q: q, logs: &syncbuf.Buffer{}}
	cfg := EmbeddedConfig{
		Queue: q, Secret: secret, Host: "localhost",
		Limits: guard.Limits{Linger: 200 * time.Millisecond},
		Logger: slog.New(slog.NewTextHandler(c.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	c.e, err = NewEmbedded(cfg)
	require.NoError(t, err)

	handler := guard.WebSocket(guard.WebSocketConfig{Serve: c.e.Serve})
	web, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	c.ws = strings.Replace(web.URL, "http", "ws", 1) + "/mqtt"
	c.wss = strings.Replace(secure.URL, "http", "ws", 1) + "/mqtt"
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	c.roots = &tls.Config{RootCAs: roots}

	ctx, cancel := context.WithCancel(context.Background())
	accepting := make(chan error, 2)
	listen := func(wrap func(net.Listener) net.Listener) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { accepting <- guard.ServeTCP(ctx, slog.New(slog.DiscardHandler), wrap(ln), c.e.Serve) }()
		return ln.Addr().String()
	}
	c.tcp = listen(func(ln net.Listener) net.Listener { return ln })
	c.tls = listen(func(ln net.Listener) net.Listener {
		return tls.NewListener(ln, &tls.Config{Certificates: secure.TLS.Certificates})
	})

	c.close = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-accepting)
		require.NoError(t, <-accepting)
		ctx, cancel := context.WithTimeout(context.Background(), guardtest.Patience)
		defer cancel()
		require.NoError(t, c.e.Shutdown(ctx))
		web.Close()
		secure.Close()
	})
	t.Cleanup(c.close)
	return c
}

// way is a transport and a protocol version.
type way struct {
	transport string
	version   mqtt.Version
}

func (w way) String() string { return fmt.Sprintf("%s v%d", w.transport, w.version) }

var (
	ways = []way{{"tcp", mqtt.V31}, {"tcp", mqtt.V311}, {"tcp", mqtt.V5}, {"ws", mqtt.V31}, {"ws", mqtt.V311}, {"ws", mqtt.V5}}
	tcp5 = way{"tcp", mqtt.V5}
	tcp4 = way{"tcp", mqtt.V311}
	ws5  = way{"ws", mqtt.V5}
)

// onEachWay runs a test over TCP and WebSocket, in every protocol version.
func onEachWay(t *testing.T, test func(t *testing.T, w way)) {
	for _, w := range ways {
		t.Run(w.String(), func(t *testing.T) { test(t, w) })
	}
}

func (c *cloud) dial(w way) *guardtest.Client {
	switch w.transport {
	case "ws":
		return guardtest.DialWS(c.t, w.version, c.ws, nil)
	case "wss":
		return guardtest.DialWS(c.t, w.version, c.wss, c.roots)
	case "tls":
		conn, err := tls.Dial("tcp", c.tls, c.roots)
		require.NoError(c.t, err)
		return guardtest.OnStream(c.t, w.version, conn)
	default:
		return guardtest.DialTCP(c.t, w.version, c.tcp)
	}
}

// hello has good credentials for inst.
func (c *cloud) hello(inst store.Installation) guardtest.Hello {
	ep, err := c.e.Endpoint(context.Background(), inst)
	require.NoError(c.t, err)
	return guardtest.Hello{ClientID: ep.Topic, Username: ep.Username, Password: ep.Password, KeepAlive: 60}
}

// connect opens a connection that was let in.
func (c *cloud) connect(w way, inst store.Installation, change ...func(*guardtest.Hello)) *guardtest.Client {
	c.t.Helper()
	hello := c.hello(inst)
	for _, f := range change {
		f(&hello)
	}
	client := c.dial(w)
	client.Send(guardtest.Connect(w.version, hello))
	ack := client.Expect(mqtt.CONNACK)
	require.Equal(c.t, mqtt.Success, ack.Code())
	return client
}

// subscribe is connect and a subscription of the own topic with options.
func (c *cloud) subscribe(w way, inst store.Installation, options byte, change ...func(*guardtest.Hello)) *guardtest.Client {
	c.t.Helper()
	client := c.connect(w, inst, change...)
	client.Send(guardtest.Subscribe(w.version, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: options}))
	ack := client.Expect(mqtt.SUBACK)
	require.Equal(c.t, mqtt.ReasonCode(min(options&3, 1)), ack.Code())
	return client
}

// push sends pushes from..to-1.
func (c *cloud) push(inst store.Installation, from, to int) {
	c.t.Helper()
	for n := from; n < to; n++ {
		require.NoError(c.t, c.e.Publish(context.Background(), []store.Installation{inst}, pushFor(inst, n)))
	}
}

// receive expects push n, and gives its packet identifier.
func receive(t testing.TB, client *guardtest.Client, inst store.Installation, n int) uint16 {
	t.Helper()
	p := client.Expect(mqtt.PUBLISH)
	v := p.Publish()
	require.Equal(t, string(pushFor(inst, n).Payload), string(v.Payload))
	require.Equal(t, inst.Topic, string(v.Topic))
	require.False(t, v.Dup(), "DUP belongs to a repeat in the same session, which there is none of")
	require.False(t, v.Retain())
	if p.Version == mqtt.V5 {
		require.Equal(t, fmt.Sprintf("id-%d", n), messageID(p))
	}
	return v.PacketID
}

func messageID(p guardtest.Packet) string {
	id, _ := mqtt.FindUserProperty(p.Publish().Properties, "pushMessageID")
	return string(id)
}

// pending is what inst's queue holds.
func (c *cloud) pending(inst store.Installation) int {
	list, err := c.q.Pending(context.Background(), inst.ID, 0, store.QueueMax)
	require.NoError(c.t, err)
	return len(list)
}

// eventuallyPending waits until inst's queue holds n.
func (c *cloud) eventuallyPending(inst store.Installation, n int) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return c.pending(inst) == n }, guardtest.Patience, 5*time.Millisecond,
		"the queue should hold %d", n)
}
