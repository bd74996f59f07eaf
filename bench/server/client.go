package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// login is as whom a client connects, and to what it subscribes.
type login struct {
	id, username, password, topic string
}

// client is one subscriber: MQTT 3.1.1, QoS 1.
type client struct {
	conn  net.Conn
	codec mqtt.Codec
	got   chan<- struct{} // gets one for each message
	done  chan struct{}   // closed when the connection has ended
}

const maxPacket = 64 << 10

// dial connects and subscribes a client.
func dial(ctx context.Context, way way, l login, got chan<- struct{}) (*client, error) {
	conn, err := way.dial(ctx)
	if err != nil {
		return nil, err
	}
	codec, err := mqtt.NewCodec(mqtt.V311)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &client{conn: conn, codec: codec, got: got, done: make(chan struct{})}
	splitter := mqtt.NewSplitter(maxPacket)
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if err := c.greet(splitter, l); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("connecting: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	go c.read(splitter)
	return c, nil
}

func (c *client) greet(s *mqtt.Splitter, l login) error {
	hello := &mqtt.Connect{Version: mqtt.V311, ClientID: l.id, CleanStart: true}
	if l.username != "" {
		hello.HasUsername, hello.Username, hello.HasPassword, hello.Password = true, l.username, true, []byte(l.password)
	}
	if err := c.send(hello); err != nil {
		return err
	}
	if p, err := c.next(s); err != nil {
		return err
	} else if connack, ok := p.(*mqtt.Connack); !ok || connack.ReasonCode != 0 {
		return fmt.Errorf("the broker answers CONNECT with %T", p)
	}
	if l.topic == "" {
		return nil
	}
	if err := c.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{Filter: l.topic, QoS: 1}}}); err != nil {
		return err
	}
	p, err := c.next(s)
	if err != nil {
		return err
	}
	if suback, ok := p.(*mqtt.Suback); !ok || suback.ReasonCodes[0] != 1 {
		return fmt.Errorf("the broker answers SUBSCRIBE with %T", p)
	}
	return nil
}

func (c *client) send(p mqtt.Packet) error {
	b, err := c.codec.Append(nil, p)
	if err == nil {
		_, err = c.conn.Write(b)
	}
	return err
}

// next reads a packet.
func (c *client) next(s *mqtt.Splitter) (mqtt.Packet, error) {
	var chunk [512]byte // small: there are thousands of readers
	for {
		packet, err := s.Next()
		if err != nil {
			return nil, err
		}
		if packet != nil {
			return c.codec.Decode(packet, mqtt.FromServer)
		}
		n, err := c.conn.Read(chunk[:])
		if err != nil {
			return nil, err
		}
		s.Feed(chunk[:n])
	}
}

// read tells of messages and acknowledges them until the connection ends.
func (c *client) read(s *mqtt.Splitter) {
	defer close(c.done)
	for {
		p, err := c.next(s)
		if err != nil {
			return
		}
		if m, ok := p.(*mqtt.Publish); ok {
			if m.QoS > 0 && c.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: m.PacketID}) != nil {
				return
			}
			c.got <- struct{}{}
		}
	}
}

// close ends the connection. What c.got holds must leave room for what is under way.
func (c *client) close() {
	_ = c.send(&mqtt.Disconnect{})
	_ = c.conn.Close()
	<-c.done
}

// connectAll connects clients, so many at a time.
func connectAll(ctx context.Context, way way, logins []login, got chan<- struct{}) ([]*client, error) {
	clients := make([]*client, len(logins))
	err := inParallel(len(logins), 32, func(i int) (err error) {
		clients[i], err = dial(ctx, way, logins[i], got)
		return err
	})
	if err != nil {
		closeAll(clients)
		return nil, err
	}
	return clients, nil
}

func closeAll(clients []*client) {
	_ = inParallel(len(clients), 32, func(i int) error {
		if clients[i] != nil {
			clients[i].close()
		}
		return nil
	})
}
