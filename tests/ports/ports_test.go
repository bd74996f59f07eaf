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
			_, err = hold(port)
			require.Error(t, err, "not even in another process")
			first = port
		}
	})
	held, err := hold(first)
	require.NoError(t, err, "after the test")
	require.NoError(t, held.Close())
}

func TestAPortThatIsListenedOnIsNotFree(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, err = hold(listener.Addr().(*net.TCPAddr).Port)
	require.Error(t, err)
}
