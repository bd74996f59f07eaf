package journey

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// soon bounds every wait for something that is to happen.
const soon = 2 * time.Minute

const password = "a long enough password"

var names atomic.Int64

// traveller is a program that uses the client, and what has reached it.
type traveller struct {
	*testing.T
	ctx    context.Context
	client *kiiweb.Client
	name   string

	mu      sync.Mutex
	pushes  []string // the key "n" of each push, in order
	changes []kiiweb.Change
}

// newTraveller makes a client of c with a user of its own, who is logged in.
func newTraveller(t *testing.T, c *cloud.Cloud) *traveller {
	tr := stranger(t, c)
	tr.name = fmt.Sprintf("traveller-%d", names.Add(1))
	_, err := tr.client.Register(tr.ctx, tr.name, password)
	require.NoError(t, err)
	return tr
}

// stranger makes a client of c that is not logged in, and bounds its test.
func stranger(t *testing.T, c *cloud.Cloud) *traveller {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	client, err := kiiweb.New(kiiweb.Config{AppID: c.Ready.AppID, AppKey: c.Ready.AppKey, BaseURL: c.Ready.API, RootCAs: c.CA()})
	require.NoError(t, err)
	return &traveller{T: t, ctx: ctx, client: client}
}

// twin is a second program of the same user.
func (tr *traveller) twin(c *cloud.Cloud) *traveller {
	twin := stranger(tr.T, c)
	twin.name = tr.name
	_, err := twin.client.Login(twin.ctx, tr.name, password)
	require.NoError(tr, err)
	return twin
}

// install registers for push and gives the endpoint.
func (tr *traveller) install() (kiiweb.Installation, kiiweb.Endpoint) {
	tr.Helper()
	inst, err := tr.client.InstallMQTT(tr.ctx, false)
	require.NoError(tr, err)
	endpoint, err := tr.client.MQTTEndpoint(tr.ctx, inst.InstallationID)
	require.NoError(tr, err)
	return inst, endpoint
}

// connect opens a connection that collects what arrives, and closes it at the test's end.
func (tr *traveller) connect(e kiiweb.Endpoint, transport kiiweb.Transport) *kiiweb.Connection {
	tr.Helper()
	conn, err := tr.client.Connect(tr.ctx, e, kiiweb.ConnectOptions{Transport: transport, OnMessages: tr.collect, OnState: tr.note})
	require.NoError(tr, err)
	tr.Cleanup(func() { assert.NoError(tr, conn.Close(context.Background())) })
	return conn
}

func (tr *traveller) collect(batch []kiiweb.Message) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, m := range batch {
		object, err := m.JSON()
		assert.NoError(tr, err)
		tr.pushes = append(tr.pushes, fmt.Sprint(object["n"]))
	}
}

func (tr *traveller) note(ch kiiweb.Change) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.changes = append(tr.changes, ch)
}

// send pushes the numbers from first to last to the own user.
func (tr *traveller) send(first, last int) {
	tr.Helper()
	for n := first; n <= last; n++ {
		id, err := tr.client.SendToMe(tr.ctx, kiiweb.PushMessage{Data: map[string]any{"n": fmt.Sprint(n)}})
		require.NoError(tr, err)
		require.NotEmpty(tr, id)
	}
}

// receives waits until exactly the numbers from 1 to last have come, once and in order.
func (tr *traveller) receives(last int) {
	tr.Helper()
	var want []string
	for n := 1; n <= last; n++ {
		want = append(want, fmt.Sprint(n))
	}
	got := func() []string {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		return append([]string(nil), tr.pushes...)
	}
	assert.Eventually(tr, func() bool { return len(got()) >= last }, soon, 5*time.Millisecond)
	require.Equal(tr, want, got())
}

// becomes waits for a state.
func (tr *traveller) becomes(conn *kiiweb.Connection, s kiiweb.State) kiiweb.Change {
	tr.Helper()
	require.Eventually(tr, func() bool { return conn.State().State == s }, soon, 5*time.Millisecond,
		"the connection should become %s", s)
	return conn.State()
}

// ends waits for the end of a connection.
func (tr *traveller) ends(conn *kiiweb.Connection) kiiweb.Change {
	tr.Helper()
	select {
	case <-conn.Done():
	case <-time.After(soon):
		require.Fail(tr, "the connection has not ended", "%+v", conn.State())
	}
	return conn.State()
}
