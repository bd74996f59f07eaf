package ports

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoConnectionTakesASharedPort, but its server has it, and has it again.
func TestNoConnectionTakesASharedPort(t *testing.T) {
	var port int
	t.Run("one that is free", func(t *testing.T) { port = Free(t, 1)[0] })
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	own := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	from := net.Dialer{LocalAddr: own}

	release, err := hold(port, true)
	require.NoError(t, err)
	for range 2 {
		server, err := net.ListenTCP("tcp", own)
		require.NoError(t, err)
		client, err := net.DialTCP("tcp", nil, own)
		require.NoError(t, err)
		require.NoError(t, client.Close())
		require.NoError(t, server.Close())
		_, err = net.DialTCP("tcp", nil, own)
		require.ErrorIs(t, err, syscall.ECONNREFUSED, "what keeps it does not listen")
		_, err = from.Dial("tcp", other.Addr().String())
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		_, err = hold(port, true)
		require.Error(t, err, "nor does another test")
	}
	release()
	release, err = hold(port, true)
	require.NoError(t, err, "after the test")
	release()
}
