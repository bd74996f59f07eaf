// Package ports finds ports for the servers that tests start, end and start again.
package ports

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	lowest = 10100 // browsers refuse 10080, and some below it
	usual  = 32000 // most systems take the ports of outgoing connections from above that
)

// Free gives n ports of 127.0.0.1 that nobody listens on. No other test is given them until t ends, in this process
// or in another. They are below those that the system gives to outgoing connections, so that none of these takes the
// port of a server that has not started yet, or is down for a while.
func Free(t testing.TB, n int) []int {
	t.Helper()
	highest := usual
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if first, err := strconv.Atoi(strings.Fields(string(b))[0]); err == nil && first > lowest+2000 {
			highest = first
		}
	}
	var free []int
	for tries := 0; len(free) < n; tries++ {
		require.Less(t, tries, 10_000, "there are no free ports")
		port := lowest + rand.IntN(highest-lowest)
		if held, err := hold(port); err == nil {
			t.Cleanup(func() { _ = held.Close() })
			free = append(free, port)
		}
	}
	return free
}

// hold takes a port that nobody listens on, until what it gives is closed. What says that it is taken is UDP's port
// of that number: servers that use it are in no one's way.
func hold(port int) (io.Closer, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	held, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		_ = held.Close()
		return nil, err
	}
	return held, listener.Close()
}
