//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

const password = "a long enough password"

var names atomic.Int64

// user is somebody with an installation, who is a client of each of the clouds.
type user struct {
	*stage
	name    string
	clients []*kiiweb.Client // one for each cloud
	inst    kiiweb.Installation
	topic   string // of the installation, once the endpoint was fetched

	mu       sync.Mutex
	next     int // number of the next push
	sent     int
	repeated int             // sendings of pushes that had not been confirmed
	accepted []int           // numbers of the pushes that were accepted, in order
	taken    map[int]sending // and how
	got      []arrival       // what the application was handed, in order
	changes  []change
}

// sending is an accepted push.
type sending struct {
	id    string
	begun time.Time
	took  time.Duration
}

// arrival is a push that was received.
type arrival struct {
	n  int
	id string
	at time.Time
}

type change struct {
	kiiweb.Change
	at time.Time
}

// newUser registers a user and logs in at every cloud that is there.
func (s *stage) newUser() *user {
	s.Helper()
	u := &user{stage: s, name: fmt.Sprintf("user-%d", names.Add(1)), taken: map[int]sending{}}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	registered := false
	for _, c := range s.clouds {
		client, err := kiiweb.New(kiiweb.Config{AppID: c.Ready.AppID, AppKey: c.Ready.AppKey, BaseURL: c.Ready.API, RootCAs: c.CA()})
		require.NoError(s, err)
		u.clients = append(u.clients, client)
		if !c.Running() {
			continue
		}
		require.Eventually(s, func() bool { return s.ready(c) }, patience, 50*time.Millisecond, "a cloud is not ready")
		if registered {
			_, err = client.Login(ctx, u.name, password)
		} else {
			_, err = client.Register(ctx, u.name, password)
		}
		require.NoError(s, err)
		registered = true
	}
	return u
}

// twin is another program of the same user, which has received nothing yet.
func (u *user) twin() *user {
	return &user{stage: u.stage, name: u.name, clients: u.clients, next: u.next, taken: map[int]sending{}}
}

// install installs through cloud i.
func (u *user) install(i int) {
	u.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(u, u.insist(ctx, func() (err error) {
		u.inst, err = u.clients[i].InstallMQTT(ctx, false)
		return err
	}))
}

// insist calls again as long as the cloud asks for that, as it may while something else is being killed or comes back.
func (u *user) insist(ctx context.Context, call func() error) error {
	for {
		err := call()
		var told *kiiweb.Error
		if !errors.As(err, &told) || !told.Retryable || ctx.Err() != nil {
			return err
		}
		u.Logf("%s calls again: %v", u.name, err)
		wait(ctx, 200*time.Millisecond)
	}
}

// connect opens a connection with an endpoint of cloud i to node n, or to another if that is down,
// and collects what arrives.
func (u *user) connect(i, n int) *kiiweb.Connection {
	u.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	endpoint := u.endpoint(ctx, i)
	u.tcp.prefer(u.nodes[n].MQTT)
	conn, err := u.clients[i].Connect(ctx, endpoint, kiiweb.ConnectOptions{
		Transport: kiiweb.TransportTCP, Protocol: 5, Timeout: patience, OnMessages: u.collect, OnState: u.note,
	})
	require.NoError(u, err)
	u.Cleanup(func() { assert.NoError(u, conn.Close(context.Background())) })
	return conn
}

func (u *user) endpoint(ctx context.Context, i int) kiiweb.Endpoint {
	u.Helper()
	var endpoint kiiweb.Endpoint
	require.NoError(u, u.insist(ctx, func() (err error) {
		endpoint, err = u.clients[i].MQTTEndpoint(ctx, u.inst.InstallationID)
		return err
	}))
	u.topic = endpoint.MQTTTopic
	return endpoint
}

func (u *user) collect(batch []kiiweb.Message) {
	at := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range batch {
		a := arrival{at: at}
		object, err := m.JSON()
		assert.NoError(u, err)
		n, _ := object["n"].(float64)
		a.n = int(n)
		id, _ := mqtt.FindUserProperty(m.RawProperties(), "pushMessageID")
		a.id = string(id)
		u.got = append(u.got, a)
	}
}

func (u *user) note(c kiiweb.Change) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes = append(u.changes, change{c, time.Now()})
}

// receivesAll waits until every accepted push has come, and then looks at what has come: each once, with
// the id that its sender was told, and in the order in which they were accepted. extra is how many
// pushes came that were not known to be accepted.
func (u *user) receivesAll() (extra int) {
	u.Helper()
	missing := func() []int {
		u.mu.Lock()
		defer u.mu.Unlock()
		have := map[int]bool{}
		for _, a := range u.got {
			have[a.n] = true
		}
		return slices.DeleteFunc(slices.Clone(u.accepted), func(n int) bool { return have[n] })
	}
	if !assert.Eventually(u, func() bool { return len(missing()) == 0 }, patience, 10*time.Millisecond) {
		require.FailNow(u, "accepted pushes were not received", "%v; %+v", missing(), u.changes)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	last, seen := -1, map[int]bool{}
	for _, a := range u.got {
		require.False(u, seen[a.n], "push %d was handed to the application twice", a.n)
		seen[a.n] = true
		taken, ok := u.taken[a.n]
		if !ok {
			extra++
			continue
		}
		require.Equal(u, taken.id, a.id, "pushMessageID of push %d", a.n)
		require.Greater(u, a.n, last, "push %d came after push %d", a.n, last)
		last = a.n
	}
	return extra
}

// count is how many pushes were accepted so far.
func (u *user) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.accepted)
}

// awaitAccepted waits until so many pushes more than before were accepted.
func (u *user) awaitAccepted(before, more int) {
	u.Helper()
	require.Eventually(u, func() bool { return u.count() >= before+more }, patience, 5*time.Millisecond, "pushes are not accepted any more")
}

// queueIs waits until the user's queue is there on every node, or gone.
func (s *stage) queueIs(u *user, there bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if there {
		u.endpoint(ctx, 0)
	}
	want := http.StatusNotFound
	if there {
		want = http.StatusOK
	}
	for _, n := range s.nodes {
		path := "/queues/%2F/" + url.PathEscape("mqtt-subscription-"+u.topic+"qos1")
		status, err := n.Manage(ctx, http.MethodGet, path, nil, nil)
		for ; err == nil && status != want; status, err = n.Manage(ctx, http.MethodGet, path, nil, nil) {
			wait(ctx, 20*time.Millisecond)
		}
		require.NoError(s, err, "the queue of an installation on %s: there should be %v", n.Name, there)
	}
}

// onlineAfter waits until the connection is online again after a moment, and tells how long that took.
func (u *user) onlineAfter(moment time.Time) time.Duration {
	u.Helper()
	return u.changed(moment, func(s kiiweb.State) bool { return s == kiiweb.StateOnline })
}

// offlineAfter waits until the connection is not online any more, after a moment.
func (u *user) offlineAfter(moment time.Time) time.Duration {
	u.Helper()
	return u.changed(moment, func(s kiiweb.State) bool { return s != kiiweb.StateOnline })
}

// changed waits for a change of state after a moment.
func (u *user) changed(moment time.Time, to func(kiiweb.State) bool) time.Duration {
	u.Helper()
	var took time.Duration
	require.Eventually(u, func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, c := range u.changes {
			if to(c.State) && c.at.After(moment) {
				took = c.at.Sub(moment)
				return true
			}
		}
		return false
	}, patience, 5*time.Millisecond, "the connection does not change its state")
	return took
}

// slowest are the longest that a push call took and that an accepted push was under way, of those that
// were begun after a moment.
func (u *user) slowest(since time.Time) (call, delivery time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, a := range u.got {
		if s, ok := u.taken[a.n]; ok && s.begun.Add(s.took).After(since) {
			call, delivery = max(call, s.took), max(delivery, a.at.Sub(s.begun))
		}
	}
	return call, delivery
}
