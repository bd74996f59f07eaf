package kiicloud

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

var slowOnes = flag.Int("slow", 20, "how many connections of each kind say what they have to say too slowly")

// slowOne is a connection that never comes to the point: it sends begin, and then drip, again and again, a byte at a time.
type slowOne struct {
	port        func(Ready) int
	secure      bool // with TLS, whose handshake is done
	begin, drip string
}

func slowKinds() map[string]slowOne {
	tcp, ssl := func(r Ready) int { return r.PortTCP }, func(r Ready) int { return r.PortSSL }
	ws, wss := func(r Ready) int { return r.PortWS }, func(r Ready) int { return r.PortWSS }
	connect := string(guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: strings.Repeat("x", 100)}))
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" // the beginning of a ClientHello
	head := "POST /api/oauth2/token HTTP/1.1\r\nHost: localhost\r\nX-Kii-AppID: demo\r\nX-Kii-AppKey: demo-key\r\n"
	half := "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: " +
		base64.StdEncoding.EncodeToString([]byte("sixteen bytes...")) + "\r\n"
	frame := "\x82\xfe\x01\x00\x00\x00\x00\x00" // the header of a masked binary message of 256 bytes
	return map[string]slowOne{
		"MQTT: nothing":                          {tcp, false, "", ""},
		"MQTT: a slow CONNECT":                   {tcp, false, connect[:1], connect[1:]},
		"MQTT with TLS: nothing":                 {ssl, false, "", ""},
		"MQTT with TLS: a slow handshake":        {ssl, false, hello, "\x00"},
		"MQTT with TLS: no CONNECT":              {ssl, true, "", ""},
		"MQTT with TLS: a slow CONNECT":          {ssl, true, connect[:1], connect[1:]},
		"HTTP: nothing":                          {ws, false, "", ""},
		"HTTP: a slow header":                    {ws, false, head, "X-A: b\r\n"},
		"HTTP: a slow body":                      {ws, false, head + "Content-Length: 1000\r\n\r\n", "x"},
		"HTTPS: nothing":                         {wss, false, "", ""},
		"HTTPS: a slow handshake":                {wss, false, hello, "\x00"},
		"HTTPS: a slow header":                   {wss, true, head, "X-A: b\r\n"},
		"WebSocket: half a handshake":            {ws, false, half, ""},
		"WebSocket: no CONNECT":                  {ws, false, half + "\r\n", ""},
		"WebSocket: a slow message":              {ws, false, half + "\r\n", frame + connect},
		"WebSocket: pings, and no CONNECT":       {ws, false, half + "\r\n", "\x89\x80\x00\x00\x00\x00"},
		"WebSocket with TLS: half a handshake":   {wss, true, half, ""},
		"WebSocket with TLS: a slow message":     {wss, true, half + "\r\n", frame + connect},
		"WebSocket with TLS: pings, and no more": {wss, true, half + "\r\n", "\x89\x80\x00\x00\x00\x00"},
	}
}

// dripEvery is how often a slow connection sends a byte: often enough that a limit between two of them would not end it.
const dripEvery = 400 * time.Millisecond

// last has the connection go on until the server ends it, and gives how long that took, from its begin on. An error: the server did not.
func (o slowOne) last(conn net.Conn, begun time.Time) (time.Duration, error) {
	defer conn.Close()
	over := make(chan struct{})
	var dripping sync.WaitGroup
	if o.drip != "" {
		dripping.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				case <-time.After(dripEvery):
				}
				if _, err := io.WriteString(conn, o.drip[i%len(o.drip):][:1]); err != nil {
					return
				}
			}
		})
	}
	_ = conn.SetReadDeadline(begun.Add(2 * time.Minute))
	_, err := io.Copy(io.Discard, conn)
	took := time.Since(begun)
	close(over)
	conn.Close()
	dripping.Wait()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return took, err
	}
	return took, nil
}

// Many connections of every kind that send next to nothing, and never what would let them in, are ended in time. Meanwhile all is
// served to others, and afterwards nothing of them is left.
func TestManySlowConnectionsHoldNobodyUp(t *testing.T) {
	was := patience
	patience.request = 12 * time.Second // the others as they are
	t.Cleanup(func() { patience = was })
	s := start(t, t.TempDir(), func(c *Config) { c.MaxConnectionsByAddress = 1_000_000 })
	r := s.Ready()
	newcomer(t, r, "before")
	before := measure(t, s)

	kinds := slowKinds()
	var lasting sync.WaitGroup
	var mu sync.Mutex
	longest := map[string]time.Duration{}
	var open []string // what the others are served beside
	for name, kind := range kinds {
		for range *slowOnes {
			conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(kind.port(r))))
			require.NoError(t, err)
			open = append(open, name)
			lasting.Go(func() {
				begun := time.Now()
				if kind.secure {
					conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
				}
				_, _ = io.WriteString(conn, kind.begin)
				took, err := kind.last(conn, begun)
				assert.NoError(t, err, "%s: the server keeps the connection", name)
				mu.Lock()
				defer mu.Unlock()
				longest[name] = max(longest[name], took)
			})
		}
	}
	begun := time.Now()
	p := newcomer(t, r, "meanwhile")
	for _, dial := range []func() *guardtest.Client{
		func() *guardtest.Client { return guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")) },
		func() *guardtest.Client { return guardtest.DialWS(t, mqtt.V5, "ws://"+p.port("portWS")+"/mqtt", nil) },
	} {
		c := p.greet(dial(), mqtt.V5)
		p.push("fine")
		assert.Equal(t, "fine", received(t, c))
		c.HangUp()
	}
	t.Logf("beside %d slow connections a user registered, logged in, installed, and got two pushes over two connections in %v", len(open), time.Since(begun).Round(time.Millisecond))

	lasting.Wait()
	names := make([]string, 0, len(longest))
	for name := range longest {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Logf("%-40s ended after %v", name, longest[name].Round(100*time.Millisecond))
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before.goroutines+10 }, time.Minute, 10*time.Millisecond, "something of them is left")
	after := measure(t, s)
	t.Logf("before %d goroutines, %d KB of heap; after %d, %d KB", before.goroutines, before.heap>>10, after.goroutines, after.heap>>10)
	// What the runtime keeps of each goroutine that there was, for the next ones, is less than 500 bytes.
	assert.Less(t, after.heap, before.heap+(4<<20)+int64(len(open))*3000, "memory grows")
}
