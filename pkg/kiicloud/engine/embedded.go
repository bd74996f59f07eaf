package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// DefaultTTL is how long passwords are good unless configured otherwise: what Kii answers
// where it means "as good as for ever", 2147483647 seconds.
const DefaultTTL = (1<<31 - 1) * time.Second

// DefaultWindow is how many pushes a client is sent before it acknowledges the first,
// unless its receive maximum is smaller.
const DefaultWindow = 64

// EmbeddedConfig says what an Embedded engine works with. Queue and Secret are required.
type EmbeddedConfig struct {
	Queue  Queue
	Secret []byte                         // of at least MinSecret bytes; makes and checks the passwords
	Host   string                         // advertised in endpoints
	Ports  func() (tcp, ssl, ws, wss int) // advertised in endpoints; nil: all 0
	TTL    time.Duration                  // how long a password is good; 0: DefaultTTL
	Window int                            // 0: DefaultWindow
	Limits guard.Limits                   // zero values: guard.DefaultLimits
	Logger *slog.Logger                   // nil: slog.Default()
	Took   func(time.Duration)            // hears how long each push took from its acceptance to its client; nil: nobody does
}

// Embedded is the Engine that runs in this process: it answers what the guard lets through, and
// delivers from the store's queues. Only one process may serve a store in this way.
type Embedded struct {
	queue       Queue
	credentials *Credentials
	host        string
	ports       func() (tcp, ssl, ws, wss int)
	ttl         time.Duration
	window      int
	limits      guard.Limits
	log         *slog.Logger

	sessions *registry
	turns    atomic.Int64 // of connections, so far
	ends     atomic.Int64 // of installations, so far: see session.Connect
	settled  *settler
	count    counters
	drops    drops
}

var _ Engine = (*Embedded)(nil)

// counters count since the start.
type counters struct {
	accepted, queued, sent, delivered, dropped, tooLarge, connects atomic.Int64

	ended [256]atomic.Int64   // connections, by reason code
	took  func(time.Duration) // hears how long a push took from its acceptance to the client; may be nil
}

// Stats are counts for whoever watches the server.
type Stats struct {
	Connections int   // now
	Connects    int64 // connections that were let in
	Accepted    int64 // pushes that somebody has sent, for however many
	Queued      int64 // pushes put into queues: one for each receiver
	Sent        int64 // pushes written to clients, repeats included
	Delivered   int64 // pushes that clients have acknowledged, or were sent at QoS 0
	Dropped     int64 // pushes that newer ones pushed out of a full queue before their clients had them
	TooLarge    int64 // pushes that a client's maximum packet size did not admit

	// Where the broker is another process, connections and deliveries are its own to count, and zero here.
	Elsewhere   bool
	Refused     int64 // pushes that the broker did not take
	Unconfirmed int64 // pushes of which the broker did not say in time whether it has them
	Remade      int64 // queues that were missing when a push came for them

	Ended map[mqtt.ReasonCode]int64 // connections, by why they ended; Success where the client went
}

// NewEmbedded makes the engine. It listens nowhere: its connections come through Serve.
func NewEmbedded(cfg EmbeddedConfig) (*Embedded, error) {
	if cfg.Queue == nil {
		return nil, errors.New("the embedded engine needs a queue")
	}
	credentials, err := NewCredentials(cfg.Secret)
	if err != nil {
		return nil, err
	}
	e := &Embedded{
		queue: cfg.Queue, credentials: credentials, host: cfg.Host, ports: cfg.Ports, ttl: cfg.TTL,
		window: cfg.Window, limits: cfg.Limits, log: cfg.Logger, sessions: newRegistry(),
	}
	e.count.took = cfg.Took
	if e.log == nil {
		e.log = slog.Default()
	}
	if e.ports == nil {
		e.ports = func() (tcp, ssl, ws, wss int) { return 0, 0, 0, 0 }
	}
	if e.ttl <= 0 {
		e.ttl = DefaultTTL
	}
	if e.window <= 0 || e.window > 0xFFFF {
		e.window = DefaultWindow
	}
	if e.limits.MaxPacket <= 0 {
		e.limits.MaxPacket = guard.DefaultLimits.MaxPacket
	}
	e.settled = newSettler(e.queue, e.log)
	e.drops = drops{count: &e.count.dropped, log: e.log}
	return e, nil
}

// Serve runs one MQTT connection and returns when it ended. It never panics.
func (e *Embedded) Serve(conn net.Conn) {
	s := newSession(e, conn)
	if !e.sessions.add(s) {
		_ = conn.Close()
		return
	}
	defer e.sessions.wg.Done()
	err := s.run()
	s.end(&guard.Refusal{Code: mqtt.Success, Reason: "the connection ended"})
	e.sessions.remove(s)
	s.conn.Finish()
	e.count.ended[s.conn.Cause().Code].Add(1)
	e.log.Debug("connection ended", "remote", conn.RemoteAddr().String(), "installation", s.id,
		"reason", s.conn.Cause().Reason, "code", int(s.conn.Cause().Code), "error", err)
}

// Endpoint is part of Engine.
func (e *Embedded) Endpoint(_ context.Context, inst store.Installation) (Endpoint, error) {
	p := Endpoint{
		Username: inst.ID,
		Password: e.credentials.Issue(inst.ID, inst.Topic, e.ttl),
		Topic:    inst.Topic,
		Host:     e.host,
		TTL:      e.ttl.Truncate(time.Second),
	}
	p.PortTCP, p.PortSSL, p.PortWS, p.PortWSS = e.ports()
	return p, nil
}

// Prepare is part of Engine. The store has the queue already.
func (e *Embedded) Prepare(context.Context, store.Installation) error { return nil }

// Publish is part of Engine.
func (e *Embedded) Publish(ctx context.Context, to []store.Installation, p store.Push) error {
	if len(to) == 0 {
		return nil
	}
	ids := make([]string, len(to))
	for i, inst := range to {
		ids[i] = inst.ID
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	done, err := e.queue.EnqueueAll(ctx, p, ids)
	if err != nil {
		return err
	}
	e.counted(to, len(done.Places), done.Dropped)
	for _, inst := range to {
		if seq, there := done.Places[inst.ID]; there {
			e.offer(inst, done.Push, seq)
		}
	}
	return nil
}

// Stored is part of Engine.
func (e *Embedded) Stored(told store.Told) {
	e.counted(told.To, len(told.To), told.Dropped)
	for _, inst := range told.To {
		e.offer(inst, told.Push, inst.LastSeq)
	}
}

// counted counts a push to these that was put into so many queues, and what it has pushed out of them: places, by installation.
func (e *Embedded) counted(to []store.Installation, queues int, out map[string][]int64) {
	if queues > 0 {
		e.count.accepted.Add(1)
		e.count.queued.Add(int64(queues))
	}
	e.drops.note(e.lost(to, out))
}

// enqueue stores what the client of inst published, and wakes the delivery.
func (e *Embedded) enqueue(ctx context.Context, inst store.Installation, p store.Push) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	seq, dropped, err := e.queue.Enqueue(ctx, p)
	if err != nil {
		return err
	}
	e.counted([]store.Installation{inst}, 1, map[string][]int64{inst.ID: dropped})
	e.offer(inst, p, seq)
	return nil
}

// offer tells the delivery to inst, where there is one, that its queue has p at the place seq.
// Whether a push that was never to live for long is still alive only the queue knows.
func (e *Embedded) offer(inst store.Installation, p store.Push, seq int64) {
	s := e.sessions.of(inst.Topic)
	if s == nil {
		return
	}
	pump := s.delivery()
	switch {
	case pump == nil:
	case p.MessageID == "" || p.ExpiresAt.Sub(p.CreatedAt) < time.Minute:
		pump.poke()
	default:
		p.Seq, p.InstallationID = seq, inst.ID
		pump.offer(p)
	}
}

// Disconnect is part of Engine.
func (e *Embedded) Disconnect(inst store.Installation) { e.endSession(inst, "its owner was disabled") }

func (e *Embedded) endSession(inst store.Installation, why string) {
	e.ends.Add(1) // before the look: who connects meanwhile either is found, or looks again
	e.endFound(inst.Topic, &guard.Refusal{Code: mqtt.AdministrativeAction, Reason: why})
}

// endFound ends the connection of a topic, and the one to which that has given the topic back meanwhile.
func (e *Embedded) endFound(topic string, why *guard.Refusal) {
	s := e.sessions.of(topic)
	for s != nil {
		s.end(why)
		before := e.sessions.of(topic)
		if before == nil || before.turn >= s.turn { // a newer one was looked up later
			return
		}
		s = before
	}
}

// Revoke is part of Engine. The password needs nothing more: CONNECT looks for the
// installation, which is gone.
func (e *Embedded) Revoke(ctx context.Context, inst store.Installation) error {
	e.endSession(inst, "the installation was removed")
	for {
		pushes, err := e.queue.Pending(ctx, inst.ID, 0, store.QueueMax)
		if err != nil || len(pushes) == 0 {
			return err
		}
		seqs := make([]int64, len(pushes))
		for i, p := range pushes {
			seqs[i] = p.Seq
		}
		if err := e.queue.Acknowledge(ctx, map[string][]int64{inst.ID: seqs}); err != nil {
			return err
		}
	}
}

// Shutdown is part of Engine. It returns when every connection has ended, or with ctx's
// error.
func (e *Embedded) Shutdown(ctx context.Context) error {
	for _, s := range e.sessions.close() {
		go s.end(&guard.Refusal{Code: mqtt.ServerShuttingDown, Reason: "the server is shutting down"})
	}
	done := make(chan struct{})
	go func() {
		e.sessions.wg.Wait()
		e.settled.close()
		e.drops.close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stats counts.
func (e *Embedded) Stats() Stats {
	ended := map[mqtt.ReasonCode]int64{}
	for code := range e.count.ended {
		if n := e.count.ended[code].Load(); n > 0 {
			ended[mqtt.ReasonCode(code)] = n
		}
	}
	return Stats{
		Connections: e.sessions.size(),
		Connects:    e.count.connects.Load(),
		Accepted:    e.count.accepted.Load(),
		Queued:      e.count.queued.Load(),
		Sent:        e.count.sent.Load(),
		Delivered:   e.count.delivered.Load(),
		Dropped:     e.count.dropped.Load(),
		TooLarge:    e.count.tooLarge.Load(),
		Ended:       ended,
	}
}

// randomID is a name that nobody guesses.
func randomID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
