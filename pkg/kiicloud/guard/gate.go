package guard

import (
	"net"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// How connections are turned away: so many at a time are told why, within turnTime. The others
// are closed without a word.
const (
	turnMany = 64
	turnTime = 2 * time.Second
)

// Gate bounds how many connections there are: in all, and from one address. nil lets
// everybody in.
type Gate struct {
	most, each int // 0: any number
	turning    chan struct{}

	mu        sync.Mutex
	all       int
	by        map[string]int
	full, own int64
}

// NewGate makes a gate for most connections, each of them from one address at most; 0 means
// any number.
func NewGate(most, each int) *Gate {
	return &Gate{most: most, each: each, turning: make(chan struct{}, turnMany), by: map[string]int{}}
}

// Refused counts the connections that were turned away: because there were too many in all, and
// because there were too many from their address.
func (g *Gate) Refused() (full, own int64) {
	if g == nil {
		return 0, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.full, g.own
}

// Enter counts a connection from an address, until leave; "" is one whose number is not bounded.
// Where there are too many it gives why, and no leave.
func (g *Gate) Enter(address string) (leave func(), r *Refusal) {
	if g == nil {
		return func() {}, nil
	}
	if r = g.enter(address); r != nil {
		return nil, r
	}
	return sync.OnceFunc(func() { g.leave(address) }), nil
}

func (g *Gate) enter(address string) *Refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.most > 0 && g.all >= g.most:
		g.full++
		return &Refusal{mqtt.ServerBusy, "the server has as many connections as it may have: try again later"}
	case g.each > 0 && address != "" && g.by[address] >= g.each:
		g.own++
		return &Refusal{mqtt.QuotaExceeded, "there are too many connections from this address: close some"}
	}
	g.all++
	if address != "" {
		g.by[address]++
	}
	return nil
}

func (g *Gate) leave(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if address == "" {
		return
	}
	if g.by[address]--; g.by[address] == 0 {
		delete(g.by, address)
	}
}

// Serve runs serve for an MQTT connection from an address, or turns it away: its CONNECT is answered
// with the reason.
func (g *Gate) Serve(conn net.Conn, address string, serve func(net.Conn)) {
	if g != nil {
		if r := g.enter(address); r != nil {
			g.turnAway(conn, r)
			return
		}
		defer g.leave(address)
	}
	serve(conn)
}

func (g *Gate) turnAway(conn net.Conn, r *Refusal) {
	select {
	case g.turning <- struct{}{}:
		defer func() { <-g.turning }()
	default:
		_ = conn.Close()
		return
	}
	c := NewConn(conn, turner{r}, Limits{ConnectTimeout: turnTime, WriteTimeout: turnTime})
	_, _ = c.Next()
	c.End(r)
	c.Finish()
}

// turner is a Handler that lets nobody in.
type turner struct{ r *Refusal }

// Connect gives the reason.
func (t turner) Connect(*mqtt.Connect) *Refusal { return t.r }

// Publish is not called: nobody is in.
func (t turner) Publish(mqtt.PublishView) *Refusal { return t.r }

// Acknowledge is not called either.
func (turner) Acknowledge(uint16) {}
