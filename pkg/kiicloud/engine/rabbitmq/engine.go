package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Store is what the engine needs of the store.
type Store interface {
	Installations
	Endings
	// InstallationByID finds an installation of an app, else store.ErrNotFound.
	InstallationByID(ctx context.Context, appID, id string) (store.Installation, error)
	// Pending lists up to limit pushes that have not expired, with a place above after, in order.
	Pending(ctx context.Context, installationID string, after int64, limit int) ([]store.Push, error)
	// Acknowledge removes pushes, by installation. Those that are gone do not matter.
	Acknowledge(ctx context.Context, seqs map[string][]int64) error
	// Waiting lists up to limit installations that have pushes from before a time, by ascending
	// id, those whose id is above after.
	Waiting(ctx context.Context, before time.Time, after string, limit int) ([]store.Installation, error)
}

// Config says what an engine works with. Address, Store and Secret are required.
type Config struct {
	Address Address
	Store   Store
	Secret  []byte        // as for the embedded engine, the same in all processes
	Host    string        // advertised in endpoints
	Ports   Ports         // advertised in endpoints
	TTL     time.Duration // how long a password is good; 0: engine.DefaultTTL
	Logger  *slog.Logger  // nil: slog.Default()
}

// Ports are those at which clients reach RabbitMQ, or the load balancer before it; 0: not at all.
type Ports struct{ TCP, SSL, WS, WSS int }

// Engine delivers through RabbitMQ. Any number of processes may have one for the same store and the same
// cluster.
type Engine struct {
	Config
	credentials *engine.Credentials
	broker      broker
	relay       *relay
	ends        *ends
	count       counters

	mu      sync.Mutex
	stopped bool
}

var _ engine.Engine = (*Engine)(nil)

type counters struct{ accepted, queued, refused, unconfirmed, remade atomic.Int64 }

// New makes the engine. It connects in the background, and again whenever it has to: see Check. Its end is
// Shutdown.
func New(c Config) (*Engine, error) { return newEngine(c, newCluster) }

func newEngine(c Config, connect func(Config) broker) (*Engine, error) {
	if c.Store == nil || len(c.Address.Hosts) == 0 || len(c.Address.Management) == 0 {
		return nil, errors.New("the RabbitMQ engine needs a store and an address")
	}
	if _, err := c.Address.tlsConfig(c.Address.Hosts[0]); err != nil {
		return nil, err
	}
	credentials, err := engine.NewCredentials(c.Secret)
	if err != nil {
		return nil, err
	}
	if c.TTL <= 0 {
		c.TTL = engine.DefaultTTL
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	e := &Engine{Config: c, credentials: credentials, broker: connect(c)}
	e.relay = startRelay(c.Store, e.forward, c.Logger)
	e.ends = startEnds(e.end, c.Store, c.Logger)
	return e, nil
}

// Auth answers RabbitMQ's questions about the clients of this engine.
func (e *Engine) Auth() *Auth {
	return &Auth{Installations: e.Store, Endings: e.Store, Credentials: e.credentials, VHost: e.Address.VHost, CleanStart: e.Address.CleanStart, Logger: e.Logger}
}

// Check tells what is wrong with RabbitMQ, as far as pushing is concerned; nil: nothing.
func (e *Engine) Check(ctx context.Context) error { return e.broker.check(ctx) }

// Endpoint is part of engine.Engine. It makes the queue anew where it has vanished: a client may only use it.
func (e *Engine) Endpoint(ctx context.Context, inst store.Installation) (engine.Endpoint, error) {
	if err := e.Prepare(ctx, inst); err != nil {
		return engine.Endpoint{}, err
	}
	return engine.Endpoint{
		Username: inst.ID,
		Password: e.credentials.Issue(inst.ID, inst.Topic, e.TTL),
		Topic:    inst.Topic,
		Host:     e.Host,
		PortTCP:  e.Ports.TCP, PortSSL: e.Ports.SSL, PortWS: e.Ports.WS, PortWSS: e.Ports.WSS,
		TTL: e.TTL.Truncate(time.Second),
	}, nil
}

// Prepare is part of engine.Engine: it makes the queue.
func (e *Engine) Prepare(ctx context.Context, inst store.Installation) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	_, err := e.ensure(ctx, inst, false)
	return err
}

// ensure makes the queue of an installation, unless that is gone, which it looks for afterwards: so either
// the installation's end finds the queue, or this finds it ended. It tells whether the installation is there.
func (e *Engine) ensure(ctx context.Context, inst store.Installation, bind bool) (there bool, err error) {
	made, err := e.broker.ensure(ctx, inst.Topic, bind)
	if err != nil {
		return false, err
	}
	if !made && !bind {
		return true, nil
	}
	if bind {
		e.count.remade.Add(1)
	}
	_, err = e.Store.InstallationByID(ctx, inst.Owner.AppID, inst.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, e.broker.remove(ctx, inst.Topic)
	}
	return err == nil, err
}

// Stored is part of engine.Engine. It carries the new pushes over to RabbitMQ and waits for that, for a
// while: so what is published next comes after them.
func (e *Engine) Stored(told store.Told) {
	if len(told.To) == 0 {
		return
	}
	e.count.accepted.Add(1)
	e.count.queued.Add(int64(len(told.To)))
	e.relay.carry(told.To, relayPatience)
}

// Disconnect is part of engine.Engine. When RabbitMQ cannot be told now, it is told later.
func (e *Engine) Disconnect(inst store.Installation) {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if err := e.ends.do(ctx, store.Ending{Kind: store.EndingDisabled, InstallationID: inst.ID, Topic: inst.Topic}); err != nil {
		e.Logger.Error("a connection could not be ended yet", "installation", inst.ID, "error", err)
	}
}

// Revoke is part of engine.Engine. The password has ended with the installation's row: RabbitMQ asks for that
// at each connection. What cannot be ended now is ended later, and the error says why it was not.
func (e *Engine) Revoke(ctx context.Context, inst store.Installation) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	return e.ends.do(ctx, store.Ending{Kind: store.EndingRemoved, InstallationID: inst.ID, Topic: inst.Topic})
}

// end performs an ending: the connection, then the queue, then the connection that was just being made.
func (e *Engine) end(ctx context.Context, what store.Ending) error {
	err := e.broker.disconnect(ctx, what.InstallationID)
	if what.Kind != store.EndingRemoved {
		return err
	}
	if removed := e.broker.remove(ctx, what.Topic); removed != nil || err != nil {
		return errors.Join(err, removed)
	}
	return e.broker.disconnect(ctx, what.InstallationID)
}

// Shutdown is part of engine.Engine. The clients' connections are RabbitMQ's and stay.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	stopped := e.stopped
	e.stopped = true
	e.mu.Unlock()
	if stopped {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.relay.close()
		e.ends.close()
		e.broker.close()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end the connection to RabbitMQ: %w", ctx.Err())
	}
}

// Stats counts. Connections and deliveries are RabbitMQ's to count.
func (e *Engine) Stats() engine.Stats {
	return engine.Stats{
		Elsewhere:   true,
		Accepted:    e.count.accepted.Load(),
		Queued:      e.count.queued.Load(),
		Refused:     e.count.refused.Load(),
		Unconfirmed: e.count.unconfirmed.Load(),
		Remade:      e.count.remade.Load(),
	}
}
