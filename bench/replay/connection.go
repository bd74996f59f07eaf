package replay

import (
	"fmt"
	"net"
	"sync"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// connection is one client's WebSocket. Its goroutine reads and answers; Replay writes.
type connection struct {
	server  *Server
	conn    net.Conn
	in      *frameReader
	session *Session // from CONNECT on
	version mqtt.Version
	codec   mqtt.Codec

	writing sync.Mutex
	scratch []byte
}

// serve reads until the connection ends; the error says why.
func (c *connection) serve() error {
	split := mqtt.NewSplitter(maxFrame)
	for {
		payload, err := c.in.next()
		if err != nil {
			return err
		}
		split.Feed(payload)
		for {
			packet, err := split.Next()
			if err != nil {
				return err
			}
			if packet == nil {
				break
			}
			if err := c.packet(packet); err != nil {
				return err
			}
		}
	}
}

func (c *connection) packet(packet []byte) error {
	kind := mqtt.PacketTypeOf(packet)
	if c.session == nil {
		if kind != mqtt.CONNECT {
			return fmt.Errorf("the first packet is %v", kind)
		}
		return c.connect(packet)
	}
	switch kind {
	case mqtt.PUBACK:
		ack, err := mqtt.ParseAck(c.version, packet)
		if err != nil {
			return err
		}
		c.session.acked(ack.PacketID, c.in.frames)
		return nil
	case mqtt.PUBLISH:
		return c.publish(packet)
	case mqtt.SUBSCRIBE:
		return c.subscribe(packet)
	case mqtt.PINGREQ:
		return c.answer(&mqtt.Pingresp{})
	case mqtt.DISCONNECT:
		return errClosed
	}
	return fmt.Errorf("%v is of no use here", kind)
}

func (c *connection) connect(packet []byte) error {
	p, err := mqtt.ParseConnect(packet)
	if err != nil {
		return err
	}
	c.version = p.Version
	if c.codec, err = mqtt.NewCodec(p.Version); err != nil {
		return err
	}
	if c.session, err = c.server.find(p.ClientID); err != nil {
		return err
	}
	window := Window
	if p.Properties.ReceiveMaximum != nil {
		window = min(window, int(*p.Properties.ReceiveMaximum)) // [MQTT-3.3.4-9]
	}
	if err := c.session.attach(c, window); err != nil {
		return err
	}
	return c.answer(&mqtt.Connack{})
}

func (c *connection) subscribe(packet []byte) error {
	p, err := mqtt.ParseSubscribe(c.version, packet)
	if err != nil {
		return err
	}
	granted := make([]mqtt.ReasonCode, len(p.Subscriptions))
	for i, s := range p.Subscriptions {
		granted[i] = mqtt.ReasonCode(min(s.QoS, 1))
	}
	if err := c.answer(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: granted}); err != nil {
		return err
	}
	c.session.subscribed()
	return nil
}

// publish counts a client's message, acknowledges it, and sends it back where it asks for that.
func (c *connection) publish(packet []byte) error {
	view, err := mqtt.ParsePublish(c.version, mqtt.FromClient, packet)
	if err != nil {
		return err
	}
	if view.QoS() == 1 {
		if err := c.answer(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: view.PacketID}); err != nil {
			return err
		}
	}
	if string(view.Topic) == Echo {
		return c.answer(&mqtt.Publish{Topic: Echo, Payload: view.Payload})
	}
	c.session.published()
	return nil
}

// answer sends one packet in a frame of its own.
func (c *connection) answer(p mqtt.Packet) error {
	packet, err := c.codec.Append(nil, p)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.scratch = append(appendHeader(c.scratch[:0], len(packet)), packet...)
	_, err = c.conn.Write(c.scratch)
	return err
}

// write sends frames that are ready.
func (c *connection) write(frames []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.conn.Write(frames)
	return err
}
