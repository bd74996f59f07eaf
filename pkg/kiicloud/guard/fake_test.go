package guard

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// fake is a Handler that lets in whoever's password is "good", and notes the rest.
type fake struct {
	mu        sync.Mutex
	connect   *mqtt.Connect
	published []string
	acked     []uint16
	refuse    *Refusal // what Publish answers
}

func (f *fake) Connect(c *mqtt.Connect) *Refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.connect = c
	if string(c.Password) != "good" {
		return &Refusal{mqtt.BadUserNameOrPassword, "the password is not good"}
	}
	return nil
}

func (f *fake) Publish(p mqtt.PublishView) *Refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published = append(f.published, string(p.Payload))
	return f.refuse
}

func (f *fake) Acknowledge(packetID uint16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked = append(f.acked, packetID)
}

// echo is an engine behind the guard, as plain as can be: it answers CONNECT with success,
// PINGREQ, and notes every packet that it sees.
type echo struct {
	h    *fake
	conn *Conn

	mu   sync.Mutex
	seen [][]byte
}

func (e *echo) packets() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([][]byte(nil), e.seen...)
}

func (e *echo) types() (types []mqtt.Type) {
	for _, p := range e.packets() {
		types = append(types, mqtt.PacketTypeOf(p))
	}
	return types
}

func (e *echo) run() {
	defer e.conn.Finish()
	for {
		pkt, err := e.conn.Next()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.seen = append(e.seen, append([]byte(nil), pkt...))
		e.mu.Unlock()
		switch mqtt.PacketTypeOf(pkt) {
		case mqtt.CONNECT:
			ok := []byte{0x20, 2, 0, 0}
			if e.conn.Version() == mqtt.V5 {
				ok = []byte{0x20, 3, 0, 0, 0}
			}
			_, _ = e.conn.Write(ok)
		case mqtt.PINGREQ:
			_, _ = e.conn.Write([]byte{0xD0, 0})
		}
	}
}

// open gives a client whose server is an echo behind the guard, over real TCP.
func open(t *testing.T, v mqtt.Version, lim Limits) (*guardtest.Client, *echo) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	e, done := behind(t, ln, lim)
	client := guardtest.OnStream(t, v, conn)
	t.Cleanup(func() { client.HangUp(); <-done })
	return client, e
}

// behind runs an echo behind the guard on the next connection of ln, until done.
func behind(t *testing.T, ln net.Listener, lim Limits) (e *echo, done <-chan struct{}) {
	under, err := ln.Accept()
	require.NoError(t, err)
	e = &echo{h: &fake{}}
	if lim.Linger == 0 {
		lim.Linger = 200 * time.Millisecond
	}
	e.conn = NewConn(under, e.h, lim)
	ended := make(chan struct{})
	go func() { defer close(ended); e.run() }()
	return e, ended
}

var hello = guardtest.Hello{ClientID: "me", Username: "u", Password: "good"}

// openIn is open with a CONNECT that was let in.
func openIn(t *testing.T, v mqtt.Version) (*guardtest.Client, *echo) {
	client, e := open(t, v, Limits{})
	client.Send(guardtest.Connect(v, hello))
	require.Equal(t, mqtt.Success, client.Expect(mqtt.CONNACK).Code())
	return client, e
}
