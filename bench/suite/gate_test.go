package suite

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheGateKeepsMessagesUntilItIsOpened(t *testing.T) {
	const head = "HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n"
	suback := []byte{0x82, 5, 0x90, 3, 0, 1, 0}
	message := []byte{0x30, 4, 0, 1, 't', 'x'}
	first := append([]byte{0x82, 9}, append(bytes.Clone(message), message[:3]...)...) // one and a half
	second := append([]byte{0x82, 126, 0, 9}, append(bytes.Clone(message[3:]), message...)...)
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = broker.Close() })
	g, err := newGate(broker.Addr().(*net.TCPAddr).Port, 3)
	require.NoError(t, err)
	t.Cleanup(g.close)
	client, err := net.Dial("tcp", g.listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	server, err := broker.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	clock := time.Now().Add(time.Minute)
	require.NoError(t, client.SetDeadline(clock))
	require.NoError(t, server.SetDeadline(clock))

	_, err = client.Write([]byte("GET"))
	require.NoError(t, err)
	read := func(c net.Conn, n int) string {
		b := make([]byte, n)
		_, err := io.ReadFull(c, b)
		require.NoError(t, err)
		return string(b)
	}
	assert.Equal(t, "GET", read(server, 3))
	_, err = server.Write(append([]byte(head), suback...))
	require.NoError(t, err)
	assert.Equal(t, head+string(suback), read(client, len(head)+len(suback)), "what comes before is let through")

	_, err = server.Write(append(bytes.Clone(first), second...))
	require.NoError(t, err)
	ctx, cancel := context.WithDeadline(context.Background(), clock)
	defer cancel()
	k, err := g.wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, kept{append(bytes.Clone(first), second...), 18, 2, 3}, k)
	g.open()
	assert.Equal(t, string(first)+string(second), read(client, len(first)+len(second)))
	_, err = server.Write(suback)
	require.NoError(t, err)
	assert.Equal(t, string(suback), read(client, len(suback)), "and then everything")
}

func TestTheGateTellsWhenTheBrokerGoes(t *testing.T) {
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g, err := newGate(broker.Addr().(*net.TCPAddr).Port, 1)
	require.NoError(t, err)
	t.Cleanup(g.close)
	client, err := net.Dial("tcp", g.listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	server, err := broker.Accept()
	require.NoError(t, err)
	_, err = server.Write([]byte("HTTP/1.1 101\r\n\r\n"))
	require.NoError(t, err)
	require.NoError(t, server.Close())
	_, err = g.wait(context.Background())
	assert.ErrorContains(t, err, "after 0 messages of 1")
}

func TestPartsOfPacketsAreNotCounted(t *testing.T) {
	n, rest := countPublishes([]byte{0x30, 1, 0, 0x40, 0, 0x30, 0x80})
	assert.Equal(t, 1, n)
	assert.Equal(t, []byte{0x30, 0x80}, rest)
}
