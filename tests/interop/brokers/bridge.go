package brokers

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/websocket"
)

// bridge carries MQTT over WebSocket to the TCP port of a broker that has no WebSocket
// listener. It looks at no byte; how frames are cut is none of the broker's business.
func bridge(t testing.TB, port int) int {
	t.Helper()
	upgrade := websocket.Upgrader{
		Subprotocols: []string{"mqtt", "mqttv3.1"},
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrade.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		tcp, err := net.Dial("tcp", Loopback(port))
		if err != nil {
			return
		}
		defer tcp.Close()
		down := make(chan struct{})
		go func() {
			defer close(down)
			defer ws.Close()
			_ = toWebSocket(ws, tcp) // either end may go at any time
		}()
		_ = fromWebSocket(tcp, ws)
		_ = tcp.Close()
		<-down
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

func toWebSocket(ws *websocket.Conn, tcp net.Conn) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := tcp.Read(buf)
		if n > 0 {
			if err := ws.WriteMessage(websocket.BinaryMessage, buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

func fromWebSocket(tcp net.Conn, ws *websocket.Conn) error {
	for {
		kind, r, err := ws.NextReader()
		if err != nil {
			return err
		}
		if kind != websocket.BinaryMessage {
			return errors.New("MQTT travels in binary frames")
		}
		if _, err := io.Copy(tcp, r); err != nil {
			return err
		}
	}
}
