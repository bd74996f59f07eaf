//go:build !js

package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"github.com/kiiweb/kiiweb/internal/fault"
)

func dial(ctx context.Context, url string, o Options) (Conn, error) {
	switch scheme(url) {
	case "ws", "wss":
		return dialWebSocket(ctx, url, o)
	case "tcp", "ssl":
		return dialStream(ctx, url, o)
	}
	return nil, badURL(url)
}

func dialWebSocket(ctx context.Context, url string, o Options) (Conn, error) {
	if u, err := neturl.Parse(url); err != nil || u.Hostname() == "" {
		return nil, badURL(url)
	}
	config, err := tlsConfig(o.RootCAs)
	if err != nil {
		return nil, err
	}
	// gorilla/websocket heeds ctx until the TCP connection stands and only its deadline
	// after that; the interrupt makes the handshake heed a cancel as well.
	var interrupt interrupter
	defer interrupt.stop()
	dialer := websocket.Dialer{
		Proxy:           http.ProxyFromEnvironment,
		Subprotocols:    o.Subprotocols,
		TLSClientConfig: config,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err == nil {
				interrupt.watch(ctx, conn)
			}
			return conn, err
		},
	}
	ws, answer, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, handshakeFailed(ctx, url, answer, err)
	}
	if !interrupt.stop() {
		_ = ws.Close()
		return nil, ended(ctx, "Connecting to "+shown(url))
	}
	if len(o.Subprotocols) > 0 && ws.Subprotocol() == "" {
		_ = ws.Close()
		return nil, notNegotiated(url)
	}
	ws.SetReadLimit(o.ReadLimit)
	return newWebSocketConn(ws), nil
}

// interrupter makes blocking calls on a connection fail once a context ends.
type interrupter struct{ cancel func() bool }

func (i *interrupter) watch(ctx context.Context, conn net.Conn) {
	i.cancel = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

// stop ends the watch and tells whether the context had not ended before.
func (i *interrupter) stop() bool { return i.cancel == nil || i.cancel() }

func handshakeFailed(ctx context.Context, url string, answer *http.Response, err error) error {
	if !errors.Is(err, websocket.ErrBadHandshake) || answer == nil {
		return dialFailed(ctx, url, err)
	}
	e := fault.New(fault.Network, "The server at "+shown(url)+" refused the WebSocket with status "+strconv.Itoa(answer.StatusCode)+".")
	e.Status = answer.StatusCode
	return e
}

// dialFailed gives the code of a connection that could not be made.
func dialFailed(ctx context.Context, url string, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		<-ctx.Done() // ctx set the connection's deadline, and its own timer is about to fire
	}
	if ctx.Err() != nil {
		return ended(ctx, "Connecting to "+shown(url))
	}
	e := fault.Wrap(fault.Network, "No connection to "+shown(url), err)
	if isCertificateError(err) {
		e.Remedy, e.Retryable = certificateRemedy, false
	}
	return e
}
