package hostile

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// patience bounds every wait for something that is to happen.
const patience = 5 * time.Minute

// atOnce is how many clients are there at a time.
const atOnce = 32

// guest is a native client, and what it went through.
type guest struct {
	client    *kiiweb.Client
	transport kiiweb.Transport
	visit     *Visit

	received  atomic.Int64  // messages
	displaced chan struct{} // holds one
	mu        sync.Mutex
	changes   []kiiweb.Change
	ended     error // why it did not go on by itself
	trouble   error // what should not have happened
}

func newGuest(t testing.TB, transport kiiweb.Transport, visit *Visit) *guest {
	client, err := kiiweb.New(kiiweb.Config{AppID: "app", AppKey: "key", BaseURL: "http://127.0.0.1:9/api"})
	require.NoError(t, err)
	return &guest{client: client, transport: transport, visit: visit, displaced: make(chan struct{}, 1)}
}

// travel goes through all of it.
func (g *guest) travel() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := g.connect(ctx)
	if g.visit.Case.End == Failed {
		g.ended = err
		if err == nil {
			err = g.fail(ctx, conn)
		}
		if g.ended == nil {
			g.trouble = err
			return
		}
		conn, err = g.connect(ctx)
	}
	if err == nil {
		err = errors.Join(g.finish(ctx, conn), conn.Close(ctx))
	}
	g.trouble = err
}

func (g *guest) connect(ctx context.Context) (*kiiweb.Connection, error) {
	b := g.visit.broker
	endpoint := kiiweb.Endpoint{Username: "un", Password: "pw", MQTTTopic: g.visit.ClientID, Host: "127.0.0.1", PortTCP: b.PortTCP, PortWS: b.PortWS}
	return g.client.Connect(ctx, endpoint, kiiweb.ConnectOptions{
		Transport: g.transport, Protocol: int(g.visit.Version), Timeout: patience,
		OnMessages: func(batch []kiiweb.Message) { g.received.Add(int64(len(batch))) },
		OnState: func(c kiiweb.Change) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.changes = append(g.changes, c)
			if c.State == kiiweb.StateDisplaced {
				select {
				case g.displaced <- struct{}{}:
				default:
				}
			}
		},
	})
}

// fail has the row end the connection for good.
func (g *guest) fail(ctx context.Context, conn *kiiweb.Connection) error {
	published := conn.Publish(ctx, kiiweb.Message{Payload: []byte(Go), QoS: 1})
	select {
	case <-conn.Done():
		g.ended = conn.State().Err
	case <-ctx.Done():
		return errors.New("the connection has not ended")
	}
	if published == nil {
		return errors.New("a message was acknowledged that was not")
	}
	return nil
}

// finish tells the broker to go on, and waits for its message.
func (g *guest) finish(ctx context.Context, conn *kiiweb.Connection) error {
	if err := conn.Publish(ctx, kiiweb.Message{Payload: []byte(Go), QoS: 1}); err != nil {
		return err
	}
	select {
	case <-g.visit.handled:
		return nil
	case <-conn.Done():
		return conn.State().Err
	case <-ctx.Done():
		return errors.New("no message came afterwards")
	}
}

// check compares what the client told with the row.
func (g *guest) check(t *testing.T) {
	require.NoError(t, g.trouble)
	g.visit.Check(t, patience)
	c := g.visit.Case
	g.mu.Lock()
	defer g.mu.Unlock()
	var states []kiiweb.State
	var waiting []kiiweb.Change
	for _, ch := range g.changes {
		states = append(states, ch.State)
		if ch.State == kiiweb.StateWaiting {
			waiting = append(waiting, ch)
		}
	}
	switch c.End {
	case Kept:
		assert.Equal(t, []kiiweb.State{kiiweb.StateConnecting, kiiweb.StateOnline, kiiweb.StateClosed}, states)
		assert.Equal(t, c.Messages()+1, int(g.received.Load()))
	case Retried:
		if assert.Len(t, waiting, 1, "%v", states) {
			g.requireError(t, waiting[0].Err)
		}
	case Failed:
		assert.Empty(t, waiting, "%v", states)
		var err *kiiweb.Error
		require.ErrorAs(t, g.ended, &err)
		g.requireError(t, err)
	}
}

func (g *guest) requireError(t *testing.T, err *kiiweb.Error) {
	require.NotNil(t, err)
	assert.Equal(t, g.visit.Case.ErrorCode(), err.Code, err.Error())
	assert.Equal(t, g.visit.ReasonCode(), err.ReasonCode, err.Error())
	assert.NotEmpty(t, err.Message)
	assert.NotEmpty(t, err.Remedy)
}

// TestNativeClient plays the whole table, and asks of the client a clean error and that it
// is of use afterwards.
func TestNativeClient(t *testing.T) {
	for _, way := range []struct {
		name      string
		transport kiiweb.Transport
		drip      bool
	}{
		{"TCP", kiiweb.TransportTCP, false},
		{"WebSocket", kiiweb.TransportWS, false},
		{"WebSocket byte by byte", kiiweb.TransportWS, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			b := Start(t)
			b.Drip = way.drip
			var guests []*guest
			room := make(chan struct{}, atOnce)
			var under sync.WaitGroup
			for n, c := range Table() {
				if way.transport == kiiweb.TransportTCP && (c.Text || c.Raw) {
					continue
				}
				for _, v := range c.Versions() {
					g := newGuest(t, way.transport, b.Expect(ClientID(n, v), c, v))
					guests = append(guests, g)
					under.Go(func() {
						room <- struct{}{}
						g.travel()
						<-room
					})
				}
			}
			under.Wait()
			for _, g := range guests {
				t.Run(g.visit.Case.Title(g.visit.Version), g.check)
			}
		})
	}
}

func TestEveryRowHasItsName(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Table() {
		for _, v := range c.Versions() {
			title := c.Title(v)
			assert.False(t, seen[title], "%s is there twice", title)
			seen[title] = true
			assert.Equal(t, c.End != Kept && !c.Mute || c.End == Failed, c.Reason != mqtt.Success, title)
		}
	}
}
