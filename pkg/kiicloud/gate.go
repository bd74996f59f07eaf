package kiicloud

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/rest"
)

// The bounds of connections, unless configured otherwise.
const (
	DefaultMaxConnections          = 100_000
	DefaultMaxConnectionsByAddress = 1_000
)

// tooMany answers, over plain HTTP, a connection that is one too many.
const tooMany = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\nConnection: close\r\n\r\n"

// webGate counts the connections of HTTP servers. A WebSocket leaves it and is counted by its own
// address, which a proxy may have told.
type webGate struct {
	gate    *guard.Gate
	proxies rest.Proxies

	mu    sync.Mutex
	leave map[net.Conn]func()
}

// note is a server's ConnState. A connection that is one too many is closed.
func (g *webGate) note(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		from := g.proxies.PeerKey(c.RemoteAddr())
		if from == "" { // who looks after the cloud, or a proxy
			return
		}
		leave, r := g.gate.Enter(from)
		if r == nil {
			g.mu.Lock()
			g.leave[c] = leave
			g.mu.Unlock()
			return
		}
		if plain, ok := c.(*net.TCPConn); ok {
			_ = plain.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = plain.Write([]byte(tooMany + r.Reason + "\n"))
		}
		_ = c.Close()
	case http.StateClosed, http.StateHijacked:
		g.mu.Lock()
		leave := g.leave[c]
		delete(g.leave, c)
		g.mu.Unlock()
		if leave != nil {
			leave()
		}
	}
}
