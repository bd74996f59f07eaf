package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Window is how many messages at QoS 1 are sent ahead of their acknowledgements, or
// fewer where a client's receive maximum says so.
const Window = 1000

// writeSize is how many bytes of frames one write takes at least, as far as there are.
const writeSize = 256 << 10

// Session is one expected client, from its CONNECT to its end.
type Session struct {
	clientID string
	ready    chan struct{} // closed at the first SUBSCRIBE
	over     chan struct{} // closed when the connection has ended

	mu        sync.Mutex
	changed   *sync.Cond
	conn      *connection
	window    int
	err       error
	sent      int // messages at QoS 1 of this Replay
	received  int // their acknowledgements
	wrong     int // acknowledgements that are not the next one due [MQTT-4.6.0-2]
	inbound   int // messages that the client has published
	isReady   bool
	ackFrames int // that held them
	lastAck   int // number of the latest such frame
}

func newSession(clientID string) *Session {
	s := &Session{clientID: clientID, ready: make(chan struct{}), over: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Subscribed waits until the client has connected and subscribed.
func (s *Session) Subscribed(ctx context.Context) error {
	return wait(ctx, "SUBSCRIBE", s.ready, s)
}

// Version is the MQTT version that the client has asked for.
func (s *Session) Version() mqtt.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.version
}

// Result is what a Replay has done.
type Result struct {
	Plan
	Acks      int // PUBACKs received
	Wrong     int // of those, the ones out of turn
	AckFrames int // frames in which the client has sent them
	Took      time.Duration
}

// Replay writes at least n messages of a stream, in whole frames, and waits until all is
// written and, at QoS 1, acknowledged.
func (s *Session) Replay(ctx context.Context, stream *Stream, n int) (Result, error) {
	stop := context.AfterFunc(ctx, func() { s.end(ctx.Err()) })
	defer stop()
	r := Result{Plan: stream.Plan(n)}
	s.mu.Lock()
	conn := s.conn
	s.sent, s.received, s.wrong, s.ackFrames = 0, 0, 0, 0
	s.mu.Unlock()
	if conn == nil {
		return r, errors.New("the client is not connected")
	}
	if half := s.window / 2; stream.qos > 0 && stream.largest > half {
		return r, fmt.Errorf("a frame holds %d messages, half of the window is %d", stream.largest, half)
	}
	began := time.Now()
	if err := s.writeAll(conn, stream, r.Plan); err != nil {
		return r, err
	}
	err := s.drain()
	r.Took = time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Acks, r.Wrong, r.AckFrames = s.received, s.wrong, s.ackFrames
	return r, err
}

// writeAll writes as much at once as the window allows, up to writeSize.
func (s *Session) writeAll(conn *connection, stream *Stream, plan Plan) error {
	next, sent := 0, 0 // the frame, and messages
	for sent < plan.Messages {
		room, err := s.room(stream.qos)
		if err != nil {
			return err
		}
		first := stream.before(next)
		last, messages := next, 0
		for last < len(stream.frames) && sent+messages < plan.Messages {
			with := stream.frames[last].messages - first.messages
			if with > room && last > next || stream.frames[last].end-first.end > writeSize && last > next {
				break
			}
			last, messages = last+1, with
		}
		if stream.qos > 0 {
			s.mu.Lock()
			s.sent += messages
			s.mu.Unlock()
		}
		if err := conn.write(stream.bytes[first.end:stream.before(last).end]); err != nil {
			return err
		}
		sent += messages
		next = last % len(stream.frames)
	}
	return nil
}

// before is the frame in front of number n, an empty one in front of the first.
func (s *Stream) before(n int) frame {
	if n == 0 {
		return frame{}
	}
	return s.frames[n-1]
}

// room waits until half of the window is free, so that writes stay large.
func (s *Session) room(qos byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if qos == 0 {
		return Period, s.err
	}
	for s.err == nil && s.sent-s.received > s.window/2 {
		s.changed.Wait()
	}
	return s.window - (s.sent - s.received), s.err
}

// drain waits for the acknowledgements that are still due.
func (s *Session) drain() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && s.received < s.sent {
		s.changed.Wait()
	}
	return s.err
}

// acked takes a PUBACK that came in a client's frame of that number.
func (s *Session) acked(id uint16, frame int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(id) != s.received%Period+1 {
		s.wrong++
	}
	s.received++
	if frame != s.lastAck {
		s.lastAck = frame
		s.ackFrames++
	}
	if s.sent-s.received <= s.window/2 {
		s.changed.Broadcast()
	}
}

func (s *Session) published() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbound++
	s.changed.Broadcast()
}

// Published waits until the client has published n messages in all.
func (s *Session) Published(ctx context.Context, n int) error {
	stop := context.AfterFunc(ctx, func() { s.end(ctx.Err()) })
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && s.inbound < n {
		s.changed.Wait()
	}
	if s.inbound > n {
		return fmt.Errorf("%d messages were published, not %d", s.inbound, n)
	}
	return s.err
}

func (s *Session) attach(c *connection, window int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil || s.err != nil {
		return fmt.Errorf("the client %q connects a second time", s.clientID)
	}
	s.conn, s.window = c, window
	return nil
}

func (s *Session) subscribed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isReady {
		s.isReady = true
		close(s.ready)
	}
}

// detach notes that the connection has ended.
func (s *Session) detach(c *connection, err error) {
	s.mu.Lock()
	own := s.conn == c
	s.mu.Unlock()
	if own {
		s.end(err)
	}
}

// end ends the session; the first reason counts.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	close(s.over)
	s.changed.Broadcast()
	if s.conn != nil {
		_ = s.conn.conn.Close()
	}
}

func (s *Session) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
