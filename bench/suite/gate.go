package suite

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// gate stands between a client and a broker. It lets everything through up to the first PUBLISH, and
// then keeps the broker's frames as they come until it has as many messages as it was told and is opened:
// so a client gets a broker's own frames as fast as TCP takes them, when it has nothing else to do.
type gate struct {
	listener net.Listener
	broker   string
	messages int
	full     chan kept  // gets one, when all messages are kept
	failed   chan error // gets one, when they will not be
	opened   chan struct{}
	open     func() // lets through what was kept, and whatever comes
	tasks    sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// kept is what a gate has kept.
type kept struct {
	bytes    []byte // the frames
	payload  int    // bytes of the frames, without their headers
	frames   int
	messages int
}

// newGate makes a gate in front of the broker's port for one client, which gets so many messages.
func newGate(port, messages int) (*gate, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{
		listener: listener, broker: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), messages: messages,
		full: make(chan kept, 1), failed: make(chan error, 1), opened: make(chan struct{}),
	}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	g.tasks.Go(g.serve)
	return g, nil
}

func (g *gate) port() int { return g.listener.Addr().(*net.TCPAddr).Port }

// close ends the connection and waits for what serves it.
func (g *gate) close() {
	g.open()
	_ = g.listener.Close()
	g.mu.Lock()
	g.closed = true
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.mu.Unlock()
	g.tasks.Wait()
}

// wait waits until all messages are kept.
func (g *gate) wait(ctx context.Context) (kept, error) {
	select {
	case k := <-g.full:
		return k, nil
	case err := <-g.failed:
		return kept{}, err
	case <-ctx.Done():
		return kept{}, fmt.Errorf("messages from the broker: %w", ctx.Err())
	}
}

// serve takes the client's connection.
func (g *gate) serve() {
	client, err := g.listener.Accept()
	if err != nil {
		return
	}
	broker, err := net.Dial("tcp", g.broker)
	if err != nil {
		_ = client.Close()
		g.failed <- err
		return
	}
	g.mu.Lock()
	g.conns = []net.Conn{client, broker}
	closed := g.closed
	g.mu.Unlock()
	if !closed {
		g.tasks.Go(func() {
			_, _ = io.Copy(broker, client)
			_ = broker.Close()
		})
		if err := g.pass(client, bufio.NewReader(broker)); err != nil {
			g.failed <- err
		}
	}
	_, _ = client.Close(), broker.Close()
}

// pass carries what the broker sends.
func (g *gate) pass(client io.Writer, broker *bufio.Reader) error {
	if err := passHead(client, broker); err != nil {
		return err
	}
	var k kept
	var rest []byte // the part of a packet that goes on in the next frame
	for k.messages < g.messages {
		frame, body, err := readFrame(broker)
		if err != nil {
			return fmt.Errorf("after %d messages of %d: %w", k.messages, g.messages, err)
		}
		if k.frames == 0 && (len(body) == 0 || body[0]>>4 != byte(mqtt.PUBLISH)) {
			if _, err := client.Write(frame); err != nil {
				return err
			}
			continue
		}
		k.bytes, k.payload, k.frames = append(k.bytes, frame...), k.payload+len(body), k.frames+1
		publishes, left := countPublishes(append(rest, body...))
		k.messages, rest = k.messages+publishes, left
	}
	g.full <- k
	<-g.opened
	if _, err := client.Write(k.bytes); err != nil {
		return err
	}
	_, _ = io.Copy(client, broker)
	return nil
}

// passHead carries the HTTP answer that begins a WebSocket.
func passHead(client io.Writer, broker *bufio.Reader) error {
	for {
		line, err := broker.ReadString('\n')
		if err != nil {
			return err
		}
		if _, err := io.WriteString(client, line); err != nil {
			return err
		}
		if strings.TrimSpace(line) == "" {
			return nil
		}
	}
}

// readFrame reads a WebSocket frame of a server, which is not masked (RFC 6455, 5.2).
func readFrame(r *bufio.Reader) (frame, body []byte, err error) {
	head := make([]byte, 2, 10)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, nil, err
	}
	more := map[byte]int{126: 2, 127: 8}[head[1]]
	head = head[:2+more]
	if _, err := io.ReadFull(r, head[2:]); err != nil {
		return nil, nil, err
	}
	size := uint64(head[1])
	switch more {
	case 2:
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 8:
		size = binary.BigEndian.Uint64(head[2:])
	}
	if size > 1<<20 {
		return nil, nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame = append(head, make([]byte, size)...)
	_, err = io.ReadFull(r, frame[len(head):])
	return frame, frame[len(head):], err
}

// countPublishes counts the messages in a run of packets, and gives the packet that is not whole.
func countPublishes(b []byte) (n int, rest []byte) {
	for len(b) > 1 {
		size, bytes := binary.Uvarint(b[1:min(len(b), 5)]) // a variable byte integer is the same up to four bytes (1.5.5)
		if bytes <= 0 || uint64(len(b)) < 1+uint64(bytes)+size {
			break
		}
		if b[0]>>4 == byte(mqtt.PUBLISH) {
			n++
		}
		b = b[1+bytes+int(size):]
	}
	return n, b
}
