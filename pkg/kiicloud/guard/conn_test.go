package guard

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

func TestEndIsSaidOnceAndNothingFollows(t *testing.T) {
	client, e := openIn(t, mqtt.V5)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if i%2 == 0 {
				e.conn.End(&Refusal{mqtt.SessionTakenOver, "taken over"})
				_, err := e.conn.Write([]byte{0xD0, 0})
				require.ErrorIs(t, err, net.ErrClosed)
			} else {
				_, _ = e.conn.Write([]byte{0xD0, 0})
			}
		})
	}
	wg.Wait()
	p := client.Next()
	for p.Type() == mqtt.PINGRESP {
		p = client.Next()
	}
	require.Equal(t, mqtt.SessionTakenOver, p.Code())
	client.ExpectClosed()
}

func TestNothingThatIsSentAfterTheEndCounts(t *testing.T) {
	client, e := openIn(t, mqtt.V5)
	e.conn.End(&Refusal{mqtt.SessionTakenOver, "taken over"})
	_ = client.TrySend(guardtest.Puback(1), guardtest.Publish(mqtt.V5, 0x02, 1, "me", nil, "late"))
	client.Expect(mqtt.DISCONNECT)
	client.ExpectClosed()
	require.Empty(t, e.h.acked)
	require.Empty(t, e.h.published)
}

func TestBeforeConnackThereIsNoDisconnect(t *testing.T) {
	client, e := open(t, mqtt.V5, Limits{})
	e.conn.End(&Refusal{mqtt.ServerShuttingDown, "shutting down"})
	client.ExpectClosed()
}

func TestBatchIsOnePieceAndSaysWhetherItWasSent(t *testing.T) {
	client, e := openIn(t, mqtt.V5)
	push := guardtest.Publish(mqtt.V5, 0, 0, "me", nil, "x")
	require.NoError(t, e.conn.Batch(func() error {
		for range 3 {
			_, err := e.conn.Write(push)
			require.NoError(t, err)
		}
		return nil
	}))
	for range 3 {
		client.Expect(mqtt.PUBLISH)
	}
	require.Equal(t, []int{1, 3}, client.Messages())

	why := errors.New("why")
	require.ErrorIs(t, e.conn.Batch(func() error { return why }), why)

	err := e.conn.Batch(func() error {
		_, err := e.conn.Write(push)
		e.conn.End(&Refusal{mqtt.SessionTakenOver, "taken over"})
		return err
	})
	require.ErrorIs(t, err, net.ErrClosed, "what was gathered is not sent any more")
	client.Expect(mqtt.DISCONNECT)
	client.ExpectClosed()
}

func TestALongBatchIsNotKeptBack(t *testing.T) {
	client, e := openIn(t, mqtt.V5)
	push := guardtest.Publish(mqtt.V5, 0, 0, "me", nil, string(make([]byte, 4096)))
	require.NoError(t, e.conn.Batch(func() error {
		for range 2 * batchLimit / 4096 {
			if _, err := e.conn.Write(push); err != nil {
				return err
			}
		}
		client.Expect(mqtt.PUBLISH) // before the batch is over
		return nil
	}))
}

func TestWriteDeadlineEndsAStuckConnection(t *testing.T) {
	here, there := net.Pipe() // nobody reads there
	defer there.Close()
	c := NewConn(here, &fake{}, Limits{WriteTimeout: 50 * time.Millisecond})
	_, err := c.Write([]byte{0xD0, 0})
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NotNil(t, c.Cause())
	_, err = c.Write([]byte{0xD0, 0})
	require.ErrorIs(t, err, net.ErrClosed)
	c.Finish()
}

func TestEndDoesNotWaitForAStuckWriter(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	c := NewConn(here, &fake{}, Limits{WriteTimeout: time.Hour})
	stuck := make(chan error, 1)
	go func() {
		_, err := c.Write([]byte{0xD0, 0})
		stuck <- err
	}()
	require.Eventually(t, func() bool { return len(c.writing) == 1 }, guardtest.Patience, time.Millisecond)
	c.End(&Refusal{mqtt.SessionTakenOver, "taken over"})
	require.Error(t, <-stuck)
	c.Finish()
}

func TestOnlyMQTT5GetsADisconnectOfTheBroker(t *testing.T) {
	for _, v := range versions {
		client, e := openIn(t, v)
		pkt := []byte{0xE0, 2, 0x8E, 0}
		n, err := e.conn.Write(pkt)
		require.NoError(t, err)
		require.Equal(t, len(pkt), n)
		if v == mqtt.V5 {
			client.Expect(mqtt.DISCONNECT)
		}
		client.ExpectAlive()
	}
}

// TestLastPacketIsNotLostToAReset is about TCP: closing while unread bytes are there resets
// the connection, and what the client has not read yet is gone.
func TestLastPacketIsNotLostToAReset(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	_, done := behind(t, ln, Limits{})
	_, err = client.Write(append(guardtest.Connect(mqtt.V5, hello), guardtest.Frame(0xF0)...))
	require.NoError(t, err)
	_, err = client.Write(make([]byte, 64<<10)) // which the guard has no use for
	require.NoError(t, err)
	<-done
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	split := mqtt.NewSplitter(0)
	split.Feed(got)
	for _, want := range []mqtt.Type{mqtt.CONNACK, mqtt.DISCONNECT} {
		pkt, err := split.Next()
		require.NoError(t, err)
		require.Equal(t, want, mqtt.PacketTypeOf(pkt))
	}
}

// halfPipe is a pipe whose sending side can be closed alone.
type halfPipe struct{ net.Conn }

func (halfPipe) CloseWrite() error { return nil }

func TestFinishWaitsForTheClientButNotLong(t *testing.T) {
	end := func(linger time.Duration) (client net.Conn, finished chan struct{}) {
		here, there := net.Pipe()
		c := NewConn(halfPipe{here}, &fake{}, Limits{Linger: linger})
		c.End(&Refusal{mqtt.SessionTakenOver, "taken over"})
		finished = make(chan struct{})
		go func() { defer close(finished); c.Finish() }()
		return there, finished
	}

	client, finished := end(time.Hour)
	_, err := client.Write(make([]byte, 10000))
	require.NoError(t, err, "what the client still sends is taken in")
	require.NoError(t, client.Close())
	<-finished

	client, finished = end(20 * time.Millisecond)
	<-finished
	_, err = client.Write([]byte{0})
	require.Error(t, err, "the connection is closed")
}

// slow is a Handler that takes its time for a message.
type slow struct {
	*fake
	began chan struct{}
	takes time.Duration
}

func (s slow) Publish(p mqtt.PublishView) *Refusal {
	close(s.began)
	time.Sleep(s.takes)
	return s.fake.Publish(p)
}

// While the server deals with a packet, what the client sends lies there unread: that is no silence.
func TestKeepAliveDoesNotRunWhileAPacketIsDealtWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the client has a second and a half for what it sends
		here, there := net.Pipe()
		h := slow{&fake{}, make(chan struct{}), 1600 * time.Millisecond}
		e := &echo{h: h.fake, conn: NewConn(there, h, Limits{Linger: 200 * time.Millisecond})}
		done := make(chan struct{})
		go func() { defer close(done); e.run() }()
		client := guardtest.OnStream(t, mqtt.V5, here)
		t.Cleanup(func() { client.HangUp(); <-done })
		client.Send(guardtest.Connect(mqtt.V5, with(func(h *guardtest.Hello) { h.KeepAlive = 1 })))
		client.Expect(mqtt.CONNACK)
		client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, "me", nil, "x"))
		<-h.began
		client.Send(guardtest.Pingreq)
		client.Expect(mqtt.PUBACK)
		client.Expect(mqtt.PINGRESP)
	})
}

// Who says nothing in time is told why, where there is a way to tell.
func TestWhoIsSilentIsToldSo(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	c := NewConn(here, &fake{}, Limits{ConnectTimeout: 10 * time.Millisecond})
	_, err := c.Next()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, &Refusal{mqtt.ProtocolError, "no CONNECT was received in time"}, c.Cause())
	c.Finish()

	client, e := open(t, mqtt.V5, Limits{})
	client.Send(guardtest.Connect(mqtt.V5, with(func(h *guardtest.Hello) { h.KeepAlive = 1 })))
	client.Expect(mqtt.CONNACK)
	require.Equal(t, mqtt.KeepAliveTimeout, client.Expect(mqtt.DISCONNECT).Code())
	client.ExpectClosed()
	require.Equal(t, mqtt.KeepAliveTimeout, e.conn.Cause().Code)
}

func TestCloseEndsTheConnection(t *testing.T) {
	client, e := openIn(t, mqtt.V5)
	require.NoError(t, e.conn.Close())
	client.ExpectClosed()
	require.Equal(t, mqtt.Success, e.conn.Cause().Code)
	_, err := e.conn.Write([]byte{0xD0, 0})
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestNextGivesEOFWhenTheClientGoes(t *testing.T) {
	here, there := net.Pipe()
	c := NewConn(here, &fake{}, Limits{})
	require.NoError(t, there.Close())
	_, err := c.Next()
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, mqtt.Success, c.Cause().Code)
	c.Finish()
}

// FuzzConn sends any bytes, in two pieces, as a client of any version, and looks at what
// gets through: whole packets that are valid and allowed, and nothing after the end.
func FuzzConn(f *testing.F) {
	for _, v := range versions {
		in := guardtest.Connect(v, hello)
		f.Add(in, guardtest.Subscribe(v, 1, nil, guardtest.Filter{Topic: "me"}))
		f.Add(append(in, guardtest.Pingreq...), guardtest.Publish(v, 0x02, 3, "me", nil, "x"))
		f.Add(in, guardtest.Disconnect)
	}
	f.Add(guardtest.Connect(mqtt.V5, hello), []byte{0x82, 0x05, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		h := &fake{}
		c := NewConn(&script{in: [][]byte{one, two}}, h, Limits{})
		for n := 0; ; n++ {
			pkt, err := c.Next()
			if err != nil {
				require.NotNil(t, c.Cause(), "%v", err)
				break
			}
			if n == 0 {
				require.Equal(t, mqtt.CONNECT, mqtt.PacketTypeOf(pkt))
			} else {
				require.Contains(t, []mqtt.Type{mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE, mqtt.PINGREQ}, mqtt.PacketTypeOf(pkt))
			}
			require.NoError(t, mqtt.Check(c.Version(), mqtt.FromClient, pkt))
		}
		c.Finish()
	})
}

// script is a connection whose client sends in and goes.
type script struct {
	net.Conn
	in [][]byte
}

func (s *script) Read(p []byte) (int, error) {
	for len(s.in) > 0 && len(s.in[0]) == 0 {
		s.in = s.in[1:]
	}
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in[0])
	s.in[0] = s.in[0][n:]
	return n, nil
}

func (*script) Write(p []byte) (int, error)      { return len(p), nil }
func (*script) Close() error                     { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }
