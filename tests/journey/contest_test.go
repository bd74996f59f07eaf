package journey

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// mostConnects is how often two clients with one endpoint may connect in all before
// one of them gives way.
const mostConnects = 6

// watched is how long the two are watched.
const watched = 30 * time.Second

// Two programs with one endpoint do not fight: after a few connections one is
// displaced, and the other goes on undisturbed. MQTT 5 tells the loser; before it the
// loser has to find out.
func TestTwoClientsWithOneEndpoint(t *testing.T) {
	for name, protocol := range map[string]int{"5": 5, "3.1.1": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			c := cloud.Start(t)
			first := newTraveller(t, c)
			_, endpoint := first.install()
			proxy := startProxy(t, endpoint)
			endpoint.PortTCP = proxy.port()
			second := first.twin(c)
			travellers := []*traveller{first, second}
			var conns []*kiiweb.Connection
			for _, tr := range travellers {
				conn, err := tr.client.Connect(tr.ctx, endpoint, kiiweb.ConnectOptions{
					Transport: kiiweb.TransportTCP, Protocol: protocol, OnMessages: tr.collect, OnState: tr.note,
				})
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, conn.Close(context.Background())) })
				conns = append(conns, conn)
			}

			loser := -1
			require.Eventually(t, func() bool {
				for i, conn := range conns {
					if conn.State().State == kiiweb.StateDisplaced && conns[1-i].State().State == kiiweb.StateOnline {
						loser = i
					}
				}
				return loser >= 0
			}, soon, 5*time.Millisecond)
			assert.Equal(t, kiiweb.CodeDisplaced, conns[loser].State().Code)
			settled := proxy.connects.Load()
			assert.LessOrEqual(t, settled, int32(mostConnects))

			t.Logf("%d CONNECTs", settled)

			winner := travellers[1-loser]
			pace := time.NewTicker(time.Second)
			defer pace.Stop()
			for n := 1; n == 1 || time.Since(started) < watched; n++ {
				winner.send(n, n)
				winner.receives(n)
				<-pace.C
			}
			assert.Equal(t, settled, proxy.connects.Load(), "nobody has connected since")
			assert.Equal(t, kiiweb.StateOnline, conns[1-loser].State().State)
			assert.Equal(t, kiiweb.StateDisplaced, conns[loser].State().State)
		})
	}
}

// proxy is a TCP proxy that counts the CONNECTs that it carries.
type proxy struct {
	ln       net.Listener
	target   string
	connects atomic.Int32
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	over  bool
}

func startProxy(t *testing.T, e kiiweb.Endpoint) *proxy {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{ln: ln, target: net.JoinHostPort(e.Host, fmt.Sprint(e.PortTCP))}
	p.running.Go(p.accept)
	t.Cleanup(p.stop)
	return p
}

func (p *proxy) port() int { return p.ln.Addr().(*net.TCPAddr).Port }

func (p *proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(client, broker) {
			_ = client.Close()
			continue
		}
		p.running.Go(func() { p.carry(broker, client, true) })
		p.running.Go(func() { p.carry(client, broker, false) })
	}
}

// keep notes connections to be closed at the end; false: this is the end.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		for _, conn := range conns {
			_ = conn.Close()
		}
		return false
	}
	p.conns = append(p.conns, conns...)
	return true
}

// carry copies until one side ends, and then ends both. The first byte of what a
// client sends tells its packet type.
func (p *proxy) carry(to, from net.Conn, count bool) {
	defer to.Close()
	defer from.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(from, first); err != nil {
		return
	}
	if count && first[0] == 0x10 {
		p.connects.Add(1)
	}
	if _, err := to.Write(first); err == nil {
		_, _ = io.Copy(to, from)
	}
}

func (p *proxy) stop() {
	_ = p.ln.Close()
	p.mu.Lock()
	p.over = true
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}
