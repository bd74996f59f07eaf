package ports

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoPortIsGivenTwice until the test that has it ends.
func TestNoPortIsGivenTwice(t *testing.T) {
	var first int
	t.Run("while it is held", func(t *testing.T) {
		seen := map[int]bool{}
		for _, port := range append(Free(t, 200), Free(t, 200)...) {
			assert.False(t, seen[port], port)
			seen[port] = true
			listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			require.NoError(t, err, "it can be listened on")
			require.NoError(t, listener.Close())
			_, err = hold(port, false)
			require.Error(t, err, "not even in another process")
			first = port
		}
	})
	release, err := hold(first, false)
	require.NoError(t, err, "after the test")
	release()
}

func TestAPortThatIsListenedOnIsNotFree(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, err = hold(listener.Addr().(*net.TCPAddr).Port, false)
	require.Error(t, err)
}

// TestPortsAreNotThoseOfConnections, wherever the system has them, as long as it leaves any.
func TestPortsAreNotThoseOfConnections(t *testing.T) {
	for ports, want := range map[[2]int]struct {
		low, high int
		shared    bool
	}{
		{32768, 60999}: {10100, 32768, false}, // Linux's own
		{16000, 65535}: {10100, 16000, false},
		{1024, 60999}:  {61000, 65536, false},
		{1024, 4999}:   {10100, 65536, false},
		{12000, 65000}: {10100, 32000, true},
		{1024, 65535}:  {10100, 32000, true},
	} {
		low, high, shared := choice(ports[0], ports[1])
		assert.Equal(t, want.low, low, "%v", ports)
		assert.Equal(t, want.high, high, "%v", ports)
		assert.Equal(t, want.shared, shared, "%v", ports)
	}
	first, last := outgoing()
	assert.Less(t, first, last)
}
