package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// way is how clients come to a server.
type way struct {
	name string
	dial func(context.Context) (net.Conn, error)
}

func overTCP(port int) way {
	return way{"TCP", func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}}
}

// overWebSocket is the way of browsers.
func overWebSocket(port int) way {
	dialer := &websocket.Dialer{Subprotocols: []string{"mqtt"}, ReadBufferSize: 256, WriteBufferSize: 256, HandshakeTimeout: time.Minute}
	return way{"WebSocket", func(ctx context.Context) (net.Conn, error) {
		ws, answer, err := dialer.DialContext(ctx, fmt.Sprintf("ws://127.0.0.1:%d/mqtt", port), http.Header{})
		if err != nil {
			if answer != nil {
				err = fmt.Errorf("%w: %s", err, answer.Status)
			}
			return nil, err
		}
		return &stream{Conn: ws.NetConn(), ws: ws}, nil
	}}
}

// stream is a WebSocket's messages as a stream of bytes.
type stream struct {
	net.Conn
	ws  *websocket.Conn
	cur io.Reader
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.cur == nil {
			_, r, err := s.ws.NextReader()
			if err != nil {
				return 0, err
			}
			s.cur = r
		}
		n, err := s.cur.Read(p)
		if err == io.EOF {
			s.cur, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *stream) Write(p []byte) (int, error) {
	if err := s.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
