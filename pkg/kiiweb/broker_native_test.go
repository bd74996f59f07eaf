//go:build !js

package kiiweb

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// broker is a broker over TCP, of the version that a client speaks, that does what its
// hooks say and keeps what it was sent. To script a new kind of answer, add a hook and call it in link.answer.
type broker struct {
	t  tester
	ln net.Listener

	// connack and suback answer the n-th CONNECT and SUBSCRIBE, counted from 1; nil
	// accepts the one, and grants the other what it asks for.
	connack func(n int, c *mqtt.Connect) mqtt.ReasonCode
	suback  func(n int, s *mqtt.Subscribe) mqtt.ReasonCode

	arrived chan *link // each link that has subscribed
	running sync.WaitGroup

	mu    sync.Mutex
	links []*link
	count map[mqtt.Type]int
}

// link is one connection to the broker.
type link struct {
	b         *broker
	conn      net.Conn
	codec     mqtt.Codec
	connect   *mqtt.Connect
	subscribe *mqtt.Subscribe
	packets   chan mqtt.Packet // what came after SUBSCRIBE, but for PINGREQ; closed at the end
}

// waitLong bounds every wait of the tests for something that happens at once.
const waitLong = time.Minute

func startBroker(t tester) *broker {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &broker{t: t, ln: ln, arrived: make(chan *link, 16), count: map[mqtt.Type]int{}}
	b.running.Go(b.accept)
	t.Cleanup(b.stop)
	return b
}

func (b *broker) accept() {
	for {
		conn, err := b.ln.Accept()
		if err != nil {
			return
		}
		l := &link{b: b, conn: conn, packets: make(chan mqtt.Packet, 4096)}
		b.mu.Lock()
		b.links = append(b.links, l)
		b.mu.Unlock()
		b.running.Go(l.run)
	}
}

// stop ends the broker and waits until all of it is gone.
func (b *broker) stop() {
	_ = b.ln.Close()
	b.mu.Lock()
	for _, l := range b.links {
		_ = l.conn.Close()
	}
	b.mu.Unlock()
	b.running.Wait()
}

// endpoint gives the endpoint that leads to the broker.
func (b *broker) endpoint() Endpoint {
	return Endpoint{
		InstallationID: "inst-1", Username: "un", Password: "pw", MQTTTopic: "topic-1",
		Host: "127.0.0.1", PortTCP: b.ln.Addr().(*net.TCPAddr).Port, FetchedAt: noon,
	}
}

// next waits for the next link that has subscribed.
func (b *broker) next() *link {
	b.t.Helper()
	select {
	case l := <-b.arrived:
		return l
	case <-time.After(waitLong):
		require.Fail(b.t, "no client has subscribed")
		return nil
	}
}

// seen tells how many packets of a type came.
func (b *broker) seen(t mqtt.Type) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count[t]
}

func (l *link) run() {
	defer close(l.packets)
	defer l.conn.Close()
	splitter := mqtt.NewSplitter(0)
	for {
		chunk := make([]byte, 4096)
		n, err := l.conn.Read(chunk)
		if err != nil {
			return
		}
		splitter.Feed(chunk[:n])
		for {
			pkt, err := splitter.Next()
			assert.NoError(l.b.t, err)
			if pkt == nil {
				break
			}
			if l.codec == nil {
				version, err := mqtt.ConnectVersion(pkt)
				assert.NoError(l.b.t, err)
				if l.codec, err = mqtt.NewCodec(version); !assert.NoError(l.b.t, err) {
					return
				}
			}
			p, err := l.codec.Decode(pkt, mqtt.FromClient)
			if !assert.NoError(l.b.t, err) || !l.answer(p) {
				return
			}
		}
	}
}

// answer does what p asks for; false ends the link.
func (l *link) answer(p mqtt.Packet) bool {
	l.b.mu.Lock()
	l.b.count[p.PacketType()]++
	n := l.b.count[p.PacketType()]
	l.b.mu.Unlock()
	switch p := p.(type) {
	case *mqtt.Connect:
		l.connect = p
		var code mqtt.ReasonCode
		if l.b.connack != nil {
			code = l.b.connack(n, p)
		}
		if code == mqtt.UnsupportedProtocolVersion && p.Version != mqtt.V5 {
			code = 1 // its return code
		}
		l.send(&mqtt.Connack{ReasonCode: code})
		return code == mqtt.Success
	case *mqtt.Subscribe:
		l.subscribe = p
		code := mqtt.ReasonCode(p.Subscriptions[0].QoS)
		if l.b.suback != nil {
			code = l.b.suback(n, p)
		}
		l.send(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{code}})
		if code < mqtt.UnspecifiedError {
			l.b.arrived <- l
		}
		return true
	case *mqtt.Pingreq:
		l.send(&mqtt.Pingresp{})
		return true
	case *mqtt.Publish:
		switch p.QoS {
		case 1:
			l.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
		case 2:
			l.send(&mqtt.Ack{Kind: mqtt.PUBREC, PacketID: p.PacketID})
		}
	case *mqtt.Unsubscribe:
		ack := &mqtt.Unsuback{PacketID: p.PacketID}
		if l.connect.Version == mqtt.V5 {
			ack.ReasonCodes = []mqtt.ReasonCode{mqtt.Success}
		}
		l.send(ack)
	case *mqtt.Ack:
		if p.Kind == mqtt.PUBREL {
			l.send(&mqtt.Ack{Kind: mqtt.PUBCOMP, PacketID: p.PacketID})
		}
	}
	l.packets <- p
	return p.PacketType() != mqtt.DISCONNECT
}

// send writes packets in one piece. Writing to a client that has gone is no failure.
func (l *link) send(packets ...mqtt.Packet) {
	var b []byte
	var err error
	for _, p := range packets {
		b, err = l.codec.Append(b, p)
		assert.NoError(l.b.t, err)
	}
	if _, err := l.conn.Write(b); err != nil && !errors.Is(err, net.ErrClosed) {
		l.b.t.Logf("broker: %v", err)
	}
}

// push sends messages at QoS 1 with packet identifiers from first on.
func (l *link) push(first int, payloads ...string) {
	var packets []mqtt.Packet
	for i, s := range payloads {
		packets = append(packets, &mqtt.Publish{Topic: "topic-1", QoS: 1, PacketID: uint16(first + i), Payload: []byte(s),
			Properties: mqtt.Properties{User: []mqtt.UserProperty{{Key: "pushMessageID", Value: "p" + s}}}})
	}
	l.send(packets...)
}

// got waits for the next packet that is no PINGREQ; nil says that the link has ended.
func (l *link) got() mqtt.Packet {
	l.b.t.Helper()
	select {
	case p := <-l.packets:
		return p
	case <-time.After(waitLong):
		require.Fail(l.b.t, "no packet came")
		return nil
	}
}
