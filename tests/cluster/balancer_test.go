//go:build linux

package cluster

import (
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// balancer is what stands in front of several servers in production: it hands each connection to the
// first of its targets that takes it. When a target dies its connections end, and the next ones go to
// another.
type balancer struct {
	ln      net.Listener
	running sync.WaitGroup

	mu      sync.Mutex
	targets []int // ports, the preferred one first
	conns   map[net.Conn]struct{}
	over    bool
}

func newBalancer(t testing.TB, targets ...int) *balancer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &balancer{ln: ln, targets: targets, conns: map[net.Conn]struct{}{}}
	b.running.Go(b.accept)
	t.Cleanup(b.stop)
	return b
}

func (b *balancer) port() int { return b.ln.Addr().(*net.TCPAddr).Port }

// prefer puts a target first, for connections to come.
func (b *balancer) prefer(target int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets = append([]int{target}, slices.DeleteFunc(slices.Clone(b.targets), func(p int) bool { return p == target })...)
}

// add makes a further target known.
func (b *balancer) add(target int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets = append(slices.Clone(b.targets), target)
}

// disable has it hand connections to nobody, and end those that there are, until enable.
func (b *balancer) disable() (enable func()) {
	b.mu.Lock()
	targets := b.targets
	b.targets = nil
	b.mu.Unlock()
	b.hangUp()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.targets = targets
	}
}

// hangUp ends all connections.
func (b *balancer) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.Close()
	}
}

func (b *balancer) accept() {
	for {
		conn, err := b.ln.Accept()
		if err != nil {
			return
		}
		b.running.Go(func() { b.serve(conn) })
	}
}

func (b *balancer) serve(conn net.Conn) {
	defer conn.Close()
	b.mu.Lock()
	targets := b.targets
	b.mu.Unlock()
	for _, port := range targets {
		to, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		defer to.Close()
		if !b.keep(conn, to) {
			return
		}
		defer b.drop(conn, to)
		var there sync.WaitGroup
		there.Go(func() {
			_, _ = io.Copy(to, conn)
			_ = to.Close()
		})
		_, _ = io.Copy(conn, to)
		_ = conn.Close()
		there.Wait()
		return
	}
}

// keep notes connections to be closed at the end; false: this is the end.
func (b *balancer) keep(conns ...net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range conns {
		b.conns[c] = struct{}{}
	}
	return !b.over
}

func (b *balancer) drop(conns ...net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range conns {
		delete(b.conns, c)
	}
}

func (b *balancer) stop() {
	_ = b.ln.Close()
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	b.hangUp()
	b.running.Wait()
}
