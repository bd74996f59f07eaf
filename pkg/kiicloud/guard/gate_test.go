package guard

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

func TestGateCountsInAllAndByAddress(t *testing.T) {
	g := NewGate(4, 2)
	enter := func(address string) func() {
		t.Helper()
		leave, r := g.Enter(address)
		require.Nil(t, r)
		return leave
	}
	first := enter("a")
	enter("a")
	_, r := g.Enter("a")
	require.Equal(t, mqtt.QuotaExceeded, r.Code)
	enter("")
	enter("b")
	for _, address := range []string{"a", "b", "c", ""} {
		_, r = g.Enter(address)
		require.Equal(t, mqtt.ServerBusy, r.Code)
	}
	full, own := g.Refused()
	require.EqualValues(t, 4, full)
	require.EqualValues(t, 1, own)
	first()
	first() // counts once
	enter("a")
	_, r = g.Enter("c")
	require.NotNil(t, r)

	var any *Gate
	_, r = any.Enter("x")
	require.Nil(t, r)
	for range 100 {
		_, r = NewGate(0, 0).Enter("x")
		require.Nil(t, r)
	}
}

func TestGateForgetsAddresses(t *testing.T) {
	g := NewGate(0, 50)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			for range 100 {
				if leave, r := g.Enter(string(rune('a' + i%10))); r == nil {
					leave()
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, g.all)
	require.Empty(t, g.by)
}

// Who is turned away gets to know why, in the words of its version.
func TestGateTellsWhy(t *testing.T) {
	for _, v := range versions {
		for _, c := range []struct {
			most, each int
			code       mqtt.ReasonCode
		}{{1, 0, mqtt.ServerBusy}, {0, 1, mqtt.QuotaExceeded}} {
			g := NewGate(c.most, c.each)
			leave, _ := g.Enter("a")
			here, there := tcpPair(t)
			done := make(chan struct{})
			go func() {
				defer close(done)
				g.Serve(there, "a", func(net.Conn) { panic("let in") })
			}()
			client := guardtest.OnStream(t, v, here)
			client.Send(guardtest.Connect(v, hello))
			ack := client.Expect(mqtt.CONNACK)
			if v == mqtt.V5 {
				require.Equal(t, c.code, ack.Code())
			} else {
				require.EqualValues(t, 3, ack.Bytes[3], "server unavailable: try again")
			}
			client.ExpectClosed()
			client.HangUp()
			<-done
			leave()
			served := make(chan struct{})
			here, there = tcpPair(t)
			go g.Serve(there, "a", func(net.Conn) { close(served) })
			<-served
			require.NoError(t, here.Close())
			require.NoError(t, there.Close())
		}
	}
}

func TestGateClosesAFloodWithoutAWord(t *testing.T) {
	g := NewGate(1, 0)
	_, _ = g.Enter("a")
	for range turnMany {
		g.turning <- struct{}{}
	}
	here, there := tcpPair(t)
	g.Serve(there, "a", func(net.Conn) { panic("let in") })
	_, err := here.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, here.Close())
}

// tcpPair is both ends of a connection.
func tcpPair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	here, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	there, err = ln.Accept()
	require.NoError(t, err)
	return here, there
}
