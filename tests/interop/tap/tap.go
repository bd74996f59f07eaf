// Package tap stands between a client and a broker: it forwards bytes over TCP, can cut
// connections or keep their bytes back, and tells what passed.
package tap

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Tap forwards connections to one address.
type Tap struct {
	ln      net.Listener
	to      string
	running sync.WaitGroup
	stopped chan struct{}

	mu     sync.Mutex
	closed bool
	pairs  map[*pair]struct{} // those that are open
	opened int
	hello  [][]byte // the first bytes of each client, up to helloMax
	told   [][]byte // the first bytes of the broker to each, up to toldMax
	up     Flow     // from clients
	down   Flow     // from the broker
	mute   bool     // bytes are read and dropped, as if a cable was pulled
	fault  Fault
}

const (
	helloMax = 4096
	toldMax  = 64 << 10
)

// Flow counts what came from one side.
type Flow struct{ Pieces, Bytes int }

func (f *Flow) add(b []byte) {
	f.Pieces++
	f.Bytes += len(b)
}

// pair is one connection and its continuation.
type pair struct{ client, broker net.Conn }

func (p *pair) close() {
	_ = p.client.Close()
	_ = p.broker.Close()
}

// Start forwards connections to an address until t ends.
func Start(t testing.TB, to string) *Tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	tap := &Tap{ln: ln, to: to, pairs: map[*pair]struct{}{}, stopped: make(chan struct{})}
	tap.running.Go(tap.accept)
	t.Cleanup(tap.stop)
	return tap
}

// Port is where clients connect to.
func (t *Tap) Port() int { return t.ln.Addr().(*net.TCPAddr).Port }

// Cut closes every connection at both ends.
func (t *Tap) Cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.pairs {
		p.close()
	}
}

// Mute drops every byte from now on, in both directions, while connections stay open;
// or ends that. The connections that lost bytes are cut then.
func (t *Tap) Mute(on bool) {
	t.mu.Lock()
	was := t.mute
	t.mute = on
	t.mu.Unlock()
	if was && !on {
		t.Cut()
	}
}

// Passed tells what came from clients and from the broker so far.
func (t *Tap) Passed() (up, down Flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.up, t.down
}

// Opened tells how many connections there were.
func (t *Tap) Opened() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opened
}

func (t *Tap) accept() {
	for {
		client, err := t.ln.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", t.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		t.carry(&pair{client, broker})
	}
}

func (t *Tap) carry(p *pair) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		p.close()
		return
	}
	n := t.opened
	t.opened++
	t.hello, t.told = append(t.hello, nil), append(t.told, nil)
	t.pairs[p] = struct{}{}
	up, down := t.stream(p, p.broker, t.fault.Reset.Up), t.stream(p, p.client, t.fault.Reset.Down)
	t.running.Go(func() {
		t.pump(up, p.client, func(b []byte) {
			t.up.add(b)
			keep(&t.hello[n], helloMax, b)
		})
		t.end(p)
	})
	t.running.Go(func() {
		t.pump(down, p.broker, func(b []byte) {
			t.down.add(b)
			keep(&t.told[n], toldMax, b)
		})
		t.end(p)
	})
}

// keep notes bytes, up to a limit.
func keep(noted *[]byte, limit int, b []byte) {
	if room := limit - len(*noted); room > 0 {
		*noted = append(*noted, b[:min(room, len(b))]...)
	}
}

// Told gives the first 64 KiB that the broker has said on the latest connection.
func (t *Tap) Told() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.told) == 0 {
		return nil
	}
	return bytes.Clone(t.told[len(t.told)-1])
}

// pump moves bytes until either end is closed. note is called under the lock.
func (t *Tap) pump(to io.Writer, from net.Conn, note func([]byte)) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			t.mu.Lock()
			note(buf[:n])
			mute := t.mute
			t.mu.Unlock()
			if !mute {
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
		}
		if err != nil {
			return
		}
	}
}

func (t *Tap) end(p *pair) {
	t.mu.Lock()
	delete(t.pairs, p)
	t.mu.Unlock()
	p.close()
}

// stop ends everything and waits until it is gone.
func (t *Tap) stop() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	close(t.stopped)
	_ = t.ln.Close()
	t.Cut()
	t.running.Wait()
}
