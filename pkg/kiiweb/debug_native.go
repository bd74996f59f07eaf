//go:build !js

package kiiweb

import (
	"context"
	"strings"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/session"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// packetNames are the packets' names in the standards (MQTT 5, table 2-1), by type.
var packetNames = [16]string{"", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"}

// watch has the session tell Config.Debug what it does.
func (c Config) watch(s session.Config) session.Config {
	if c.Debug == nil {
		return s
	}
	s.Dial = func(ctx context.Context, url string, o transport.Options) (transport.Conn, error) {
		shown, _, _ := strings.Cut(url, "?") // a path of the application's may hold a token there
		c.Debug("dial", "url", shown)
		conn, err := transport.Dial(ctx, url, o)
		if err != nil {
			c.Debug("dial failed", "url", shown, "error", strings.ReplaceAll(err.Error(), url, shown))
			return nil, err
		}
		return &watched{Conn: conn, say: c.Debug, in: mqtt.NewSplitter(0), out: mqtt.NewSplitter(0)}, nil
	}
	change := s.OnChange
	s.OnChange = func(ch session.Change) {
		c.Debug("state", "state", string(ch.State), "code", string(ch.Code), "reason", ch.Reason, "reasonCode", ch.ReasonCode, "retryIn", ch.RetryIn.String())
		change(ch)
	}
	return s
}

// watched tells of the packets of a connection: their type and size, never what is in them.
type watched struct {
	transport.Conn
	say     func(string, ...any)
	in, out *mqtt.Splitter // the reader's, and the writer's
}

func (w *watched) Read() ([]byte, error) {
	chunk, err := w.Conn.Read()
	w.tell(w.in, "packet received", chunk)
	if err != nil {
		w.say("connection ended", "error", err.Error())
	}
	return chunk, err
}

func (w *watched) Write(b []byte) error {
	w.tell(w.out, "packet sent", b)
	return w.Conn.Write(b)
}

func (w *watched) tell(s *mqtt.Splitter, what string, chunk []byte) {
	s.Feed(append([]byte(nil), chunk...))
	for {
		pkt, err := s.Next()
		if pkt == nil || err != nil { // who reads it says what is wrong
			return
		}
		w.say(what, "type", packetNames[mqtt.PacketTypeOf(pkt)], "bytes", len(pkt))
	}
}
