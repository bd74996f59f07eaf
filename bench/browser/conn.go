// Package browser drives Chromium over the bare DevTools protocol. It enables no domain:
// with the Network domain on, every WebSocket frame would be mirrored to the debugger, and
// what is measured would be that.
package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/gorilla/websocket"
)

// conn is the one WebSocket to the browser; sessions of tabs share it.
type conn struct {
	ws *websocket.Conn

	writing sync.Mutex

	mu      sync.Mutex
	last    int
	waiting map[int]chan answer
	events  map[string]func(method string, params json.RawMessage) // by session
	err     error
}

// answer is what the browser says to a command.
type answer struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

var errGone = errors.New("the browser is gone")

func dial(url string) (*conn, error) {
	ws, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		return nil, err
	}
	c := &conn{ws: ws, waiting: make(map[int]chan answer), events: make(map[string]func(string, json.RawMessage))}
	go c.read()
	return c, nil
}

func (c *conn) close() { _ = c.ws.Close() }

// watch has take get the events of a session, in the order in which they come, before the answers that come behind
// them; nil ends that. take must not wait.
func (c *conn) watch(session string, take func(method string, params json.RawMessage)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.events[session] = take; take == nil {
		delete(c.events, session)
	}
}

// read hands answers to those who wait, and events to those who watch.
func (c *conn) read() {
	for {
		var message struct {
			ID        int             `json:"id"`
			SessionID string          `json:"sessionId"`
			Method    string          `json:"method"`
			Params    json.RawMessage `json:"params"`
			answer
		}
		err := c.ws.ReadJSON(&message)
		c.mu.Lock()
		if err != nil {
			c.err = errGone
			for id, waiting := range c.waiting {
				close(waiting)
				delete(c.waiting, id)
			}
			c.mu.Unlock()
			return
		}
		if waiting, ok := c.waiting[message.ID]; ok {
			delete(c.waiting, message.ID)
			waiting <- message.answer
		} else if take, ok := c.events[message.SessionID]; ok && message.Method != "" {
			take(message.Method, message.Params)
		}
		c.mu.Unlock()
	}
}

// call sends a command to a session, "" for the browser itself, and decodes the result
// into out unless that is nil.
func (c *conn) call(ctx context.Context, session, method string, params, out any) error {
	waiting := make(chan answer, 1)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return c.err
	}
	c.last++
	id := c.last
	c.waiting[id] = waiting
	c.mu.Unlock()

	c.writing.Lock()
	err := c.ws.WriteJSON(struct {
		ID        int    `json:"id"`
		SessionID string `json:"sessionId,omitempty"`
		Method    string `json:"method"`
		Params    any    `json:"params,omitempty"`
	}{id, session, method, params})
	c.writing.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a, ok := <-waiting:
		switch {
		case !ok:
			return fmt.Errorf("%s: %w", method, errGone)
		case a.Error != nil:
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		case out == nil:
			return nil
		}
		return json.Unmarshal(a.Result, out)
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}
