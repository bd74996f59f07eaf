// Package ports finds ports for the servers that tests start, end and start again.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	lowest = 10100 // browsers refuse 10080, and some below it
	usual  = 32000 // most systems take the ports of outgoing connections from above that
	enough = 2000  // fewer ports than that might run out
)

// Free gives n ports of 127.0.0.1 that nobody listens on. No other test is given them until t ends, in this process
// or in another. They are none of those that the system gives to outgoing connections, so that none of these takes the
// port of a server that has not started yet, or is down for a while. Where it gives them nearly all, they are kept from it.
func Free(t testing.TB, n int) []int {
	t.Helper()
	low, high, shared := choice(outgoing())
	var free []int
	for tries := 0; len(free) < n; tries++ {
		require.Less(t, tries, 10_000, "there are no free ports")
		port := low + rand.IntN(high-low)
		if release, err := hold(port, shared); err == nil {
			t.Cleanup(release)
			free = append(free, port)
		}
	}
	return free
}

// outgoing gives the first and the last of the ports that the system gives to outgoing connections.
func outgoing() (first, last int) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(text), &first, &last)
	}
	if err != nil {
		return usual, 1<<16 - 1
	}
	return first, last
}

// choice gives the ports to choose from, low to high-1: below those of outgoing connections, or above them. shared tells that there are too few
// of either, so that these are among them.
func choice(first, last int) (low, high int, shared bool) {
	above := max(lowest, last+1)
	switch {
	case first-lowest >= enough:
		return lowest, first, false
	case 1<<16-above >= enough:
		return above, 1 << 16, false
	}
	return lowest, usual, true
}

// hold takes a port that nobody listens on, until release is called. What says that it is taken is UDP's port
// of that number: servers that use it are in no one's way. One that is shared is kept from outgoing connections, too.
func hold(port int, shared bool) (release func(), err error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	held, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	release = func() { _ = held.Close() }
	if shared {
		kept, err := keep(port)
		if err != nil {
			release()
			return nil, err
		}
		release = func() { _, _ = kept.Close(), held.Close() }
	}
	listener, err := net.Listen("tcp", address)
	if err == nil {
		err = listener.Close()
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}
