package tap

import (
	"net"
	"time"
)

// Fault is a way in which a network is bad, the same in both directions but for Reset.
// The zero value is a good network.
type Fault struct {
	Latency time.Duration // each piece waits so long
	Slice   int           // bytes of the pieces that writes are cut into, 0 for as they come
	Rate    int           // bytes per second, 0 for as fast as it goes
	Reset   Reset
}

// Reset ends the first connection with a TCP reset after so many bytes, 0 for never.
type Reset struct{ Up, Down int }

// Suffer makes the network as bad as f says, for what comes from now on.
func (t *Tap) Suffer(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = f
}

// stream is one direction of one connection.
type stream struct {
	tap   *Tap
	to    net.Conn
	room  int  // bytes until the reset, if it has one
	reset bool // it has
	pair  *pair
}

// stream makes the direction of p that flows to a connection. limit is its Reset. Under
// the lock.
func (t *Tap) stream(p *pair, to net.Conn, limit int) *stream {
	return &stream{tap: t, to: to, room: limit, reset: limit > 0 && t.opened == 1, pair: p}
}

// Write passes b on as the fault in force lets it.
func (s *stream) Write(b []byte) (int, error) {
	s.tap.mu.Lock()
	f := s.tap.fault
	s.tap.mu.Unlock()
	if !s.tap.pass(f.Latency) {
		return 0, net.ErrClosed
	}
	for sent := 0; sent < len(b); {
		n := f.piece(len(b) - sent)
		if s.reset {
			n = min(n, s.room)
		}
		if _, err := s.to.Write(b[sent : sent+n]); err != nil {
			return sent, err
		}
		sent += n
		if s.reset {
			if s.room -= n; s.room == 0 {
				s.pair.reset()
				return sent, net.ErrClosed
			}
		}
		if f.Rate > 0 && !s.tap.pass(time.Duration(n)*time.Second/time.Duration(f.Rate)) {
			return sent, net.ErrClosed
		}
	}
	return len(b), nil
}

// piece gives the size of the next piece of n bytes.
func (f Fault) piece(n int) int {
	if f.Slice > 0 {
		n = min(n, f.Slice)
	}
	if f.Rate > 0 {
		n = min(n, max(1, f.Rate/20))
	}
	return n
}

// pass lets time go by; false says that the tap was stopped.
func (t *Tap) pass(d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-t.stopped:
		return false
	}
}

// reset ends the connection at both ends with RST.
func (p *pair) reset() {
	for _, conn := range []net.Conn{p.client, p.broker} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	p.close()
}
