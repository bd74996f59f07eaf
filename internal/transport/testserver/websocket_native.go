//go:build !js

package testserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// partingWait bounds how long /ws/parting waits for a client to leave.
const partingWait = 10 * time.Second

// webSocket adds:
//
//	/ws/echo          echoes; chooses the sub-protocol mqtt where it is offered
//	/ws/refuse        answers 403
//	/ws/size?n=       sends one message of n bytes
//	/ws/flood?n=&size= sends n messages of size bytes as fast as it can
//	/ws/segment       sends several messages, one of them empty, one in fragments, in one segment
//	/ws/bye?code=&reason= sends "one" and "two" and closes
//	/ws/drop          sends "one" and cuts the connection
//	/ws/text          sends a text message
//	/ws/deaf          never reads
//	/ws/watch?id=     echoes; /ws/parting?id= tells how that client left
func (n *node) webSocket(mux *http.ServeMux) {
	handlers := map[string]func(*websocket.Conn, *http.Request){
		"echo": func(ws *websocket.Conn, _ *http.Request) { echoMessages(ws) },
		"size": func(ws *websocket.Conn, r *http.Request) {
			_ = ws.WriteMessage(websocket.BinaryMessage, make([]byte, number(r, "n")))
			drain(ws)
		},
		"flood": func(ws *websocket.Conn, r *http.Request) {
			for range number(r, "n") {
				if ws.WriteMessage(websocket.BinaryMessage, make([]byte, number(r, "size"))) != nil {
					return
				}
			}
			drain(ws)
		},
		"segment": segment,
		"bye":     bye,
		"drop": func(ws *websocket.Conn, _ *http.Request) {
			_ = ws.WriteMessage(websocket.BinaryMessage, []byte("one"))
		},
		"text": func(ws *websocket.Conn, _ *http.Request) {
			_ = ws.WriteMessage(websocket.TextMessage, []byte("words"))
			drain(ws)
		},
		"deaf":  func(*websocket.Conn, *http.Request) { <-n.stop },
		"watch": n.watch,
	}
	for path, handle := range handlers {
		mux.HandleFunc("/ws/"+path, n.upgraded(handle))
	}
	mux.HandleFunc("/ws/refuse", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	mux.HandleFunc("/ws/parting", n.tellParting)
}

func (n *node) upgraded(handle func(*websocket.Conn, *http.Request)) http.HandlerFunc {
	upgrader := websocket.Upgrader{
		Subprotocols: []string{"mqtt"},
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	return func(w http.ResponseWriter, r *http.Request) {
		n.running.Add(1)
		defer n.running.Done()
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		ended := make(chan struct{})
		defer close(ended)
		go func() { // the end of the test ends what still runs
			select {
			case <-n.stop:
				_ = ws.Close()
			case <-ended:
			}
		}()
		handle(ws, r)
	}
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.URL.Query().Get(name))
	return n
}

// drain reads until the client leaves, so that it can close properly.
func drain(ws *websocket.Conn) {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return
		}
	}
}

func echoMessages(ws *websocket.Conn) {
	for {
		kind, b, err := ws.ReadMessage()
		if err != nil || ws.WriteMessage(kind, b) != nil {
			return
		}
	}
}

// segment writes raw frames (RFC 6455, 5.2): 0x82 is a whole binary message, 0x02
// begins one and 0x80 continues and ends it.
func segment(ws *websocket.Conn, _ *http.Request) {
	_, _ = ws.NetConn().Write([]byte("\x82\x01a" + "\x82\x00" + "\x82\x02bb" + "\x02\x02cc" + "\x80\x01c" + "\x82\x01d"))
	drain(ws)
}

func bye(ws *websocket.Conn, r *http.Request) {
	_ = ws.WriteMessage(websocket.BinaryMessage, []byte("one"))
	_ = ws.WriteMessage(websocket.BinaryMessage, []byte("two"))
	frame := websocket.FormatCloseMessage(number(r, "code"), r.URL.Query().Get("reason"))
	_ = ws.WriteMessage(websocket.CloseMessage, frame)
	drain(ws)
}

func (n *node) watch(ws *websocket.Conn, r *http.Request) {
	p := Parting{Code: websocket.CloseAbnormalClosure}
	for {
		kind, b, err := ws.ReadMessage()
		if err != nil {
			var closing *websocket.CloseError
			if errors.As(err, &closing) {
				p.Code = closing.Code
			}
			n.partingOf(r.URL.Query().Get("id")) <- p
			return
		}
		p.Messages++
		p.Bytes += len(b)
		_ = ws.WriteMessage(kind, b)
	}
}

func (n *node) partingOf(id string) chan Parting {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.parted[id] == nil {
		n.parted[id] = make(chan Parting, 1)
	}
	return n.parted[id]
}

func (n *node) tellParting(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r)
	select {
	case p := <-n.partingOf(r.URL.Query().Get("id")):
		_ = json.NewEncoder(w).Encode(p)
	case <-time.After(partingWait):
		w.WriteHeader(http.StatusGatewayTimeout)
	case <-n.stop:
	}
}
