package engine

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// pausing is a queue at whose look-ups of installations a test can stop.
type pausing struct {
	*memory
	mu    sync.Mutex
	fails error
	found func() // is called once an installation was found, before that is told
}

func (q *pausing) InstallationByTopic(ctx context.Context, topic string) (store.Installation, error) {
	inst, err := q.memory.InstallationByTopic(ctx, topic)
	q.mu.Lock()
	found, fails := q.found, q.fails
	q.found = nil
	q.mu.Unlock()
	if found != nil {
		found()
	}
	if fails != nil {
		return store.Installation{}, fails
	}
	return inst, err
}

func (q *pausing) set(fails error, found func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fails, q.found = fails, found
}

// Who cannot be looked up ends nobody's connection.
func TestANewcomerThatIsNotLetInEndsNobody(t *testing.T) {
	q := &pausing{memory: newMemory()}
	c := start(t, q, nil)
	inst := q.install(t, installationFor(1))
	for _, w := range []way{tcp4, ws5} {
		q.set(nil, nil)
		standing := c.subscribe(w, inst, qos1)
		q.set(errStore, nil)
		newcomer := c.dial(w)
		newcomer.Send(guardtest.Connect(w.version, c.hello(inst)))
		expectRefused(t, w, newcomer, mqtt.ServerUnavailable, 3)
		standing.ExpectAlive()
		c.push(inst, 0, 1)
		standing.Send(guardtest.Puback(receive(t, standing, inst, 0)))
		c.eventuallyPending(inst, 0)
	}
}

// An installation that ends after it was found for a client, and before the client's connection can be found by
// whoever ends it, does not let the client in.
func TestAnEndDuringTheLookUpIsNoticed(t *testing.T) {
	for _, w := range []way{tcp4, ws5} {
		q := &pausing{memory: newMemory()}
		c := start(t, q, nil)
		inst := q.install(t, installationFor(1))
		hello := c.hello(inst)
		q.set(nil, func() {
			q.uninstall(t, inst)
			require.NoError(t, c.e.Revoke(context.Background(), inst))
		})
		client := c.dial(w)
		client.Send(guardtest.Connect(w.version, hello))
		expectRefused(t, w, client, mqtt.NotAuthorized, 5)
	}
}

// The end of somebody else's installation meanwhile does no harm.
func TestAnothersEndDuringTheLookUpDoesNotMatter(t *testing.T) {
	q := &pausing{memory: newMemory()}
	c := start(t, q, nil)
	inst, other := q.install(t, installationFor(1)), q.install(t, installationFor(2))
	hello := c.hello(inst)
	q.set(nil, func() {
		q.uninstall(t, other)
		require.NoError(t, c.e.Revoke(context.Background(), other))
	})
	client := c.dial(tcp5)
	client.Send(guardtest.Connect(mqtt.V5, hello))
	require.Equal(t, mqtt.Success, client.Expect(mqtt.CONNACK).Code())
}

// Nor does it where the newcomer has to be looked up again for it, and the store fails: who is there stays there, and can be ended.
func TestANewcomerThatCannotBeLookedUpAgainEndsNobody(t *testing.T) {
	for _, w := range []way{tcp4, ws5} {
		q := &pausing{memory: newMemory()}
		c := start(t, q, nil)
		inst, other := q.install(t, installationFor(1)), q.install(t, installationFor(2))
		standing := c.subscribe(w, inst, qos1)
		q.set(nil, func() {
			q.uninstall(t, other)
			require.NoError(t, c.e.Revoke(context.Background(), other))
			q.set(errStore, func() { c.push(inst, 0, 1) }) // the second time; the newcomer is the topic's connection then
		})
		newcomer := c.dial(w)
		newcomer.Send(guardtest.Connect(w.version, c.hello(inst)))
		expectRefused(t, w, newcomer, mqtt.ServerUnavailable, 3)
		q.set(nil, nil)
		standing.Send(guardtest.Puback(receive(t, standing, inst, 0)))
		standing.ExpectAlive()
		c.push(inst, 1, 2)
		standing.Send(guardtest.Puback(receive(t, standing, inst, 1)))
		c.eventuallyPending(inst, 0)
		q.uninstall(t, inst)
		require.NoError(t, c.e.Revoke(context.Background(), inst))
		<-standing.Gone()
	}
}

// Where the installation itself ends while the store fails, nobody stays: its end may have found the newcomer alone.
func TestAnEndThatFindsTheNewcomerAloneEndsBoth(t *testing.T) {
	q := &pausing{memory: newMemory()}
	c := start(t, q, nil)
	inst, other := q.install(t, installationFor(1)), q.install(t, installationFor(2))
	standing := c.subscribe(ws5, inst, qos1)
	revoked := make(chan error, 1)
	q.set(nil, func() {
		q.uninstall(t, other)
		require.NoError(t, c.e.Revoke(context.Background(), other))
		q.set(errStore, func() { // the second time
			ends := c.e.ends.Load()
			q.uninstall(t, inst)
			go func() { revoked <- c.e.Revoke(context.Background(), inst) }()
			require.Eventually(t, func() bool { return c.e.ends.Load() > ends }, guardtest.Patience, time.Millisecond)
		})
	})
	newcomer := c.dial(ws5)
	newcomer.Send(guardtest.Connect(ws5.version, c.hello(inst)))
	<-newcomer.Gone()
	<-standing.Gone()
	require.NoError(t, <-revoked)
}

// Nor where the end was counted before the newcomer looked again, and finds the newcomer while that does.
func TestAnEndThatFindsTheNewcomerLateEndsBoth(t *testing.T) {
	for _, w := range []way{tcp4, ws5} {
		q := &pausing{memory: newMemory()}
		c := start(t, q, nil)
		inst := q.install(t, installationFor(1))
		standing := c.subscribe(w, inst, qos1)
		hello, ended := c.hello(inst), make(chan struct{})
		q.set(nil, func() {
			q.uninstall(t, inst)
			c.e.ends.Add(1)
			q.set(errStore, func() { // the second time
				s := c.e.sessions.of(inst.Topic)
				go func() {
					c.e.endFound(inst.Topic, &guard.Refusal{Code: mqtt.AdministrativeAction, Reason: "the installation was removed"})
					close(ended)
				}()
				require.Eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.ended }, guardtest.Patience, time.Millisecond)
			})
		})
		newcomer := c.dial(w)
		newcomer.Send(guardtest.Connect(w.version, hello))
		<-newcomer.Gone()
		<-ended
		<-standing.Gone()
	}
}

// A client that has given an attempt up and made another one is not displaced by the first, which took longer to be
// looked up.
func TestAnAttemptThatTookLongDoesNotTakeOver(t *testing.T) {
	for _, w := range []way{tcp4, ws5} {
		q := &pausing{memory: newMemory()}
		c := start(t, q, nil)
		inst := q.install(t, installationFor(1))
		first, second := c.dial(w), c.dial(w)
		hello := c.hello(inst)
		looked, goOn := make(chan struct{}), make(chan struct{})
		q.set(nil, func() { close(looked); <-goOn })
		first.Send(guardtest.Connect(w.version, hello))
		<-looked
		second.Send(guardtest.Connect(w.version, hello))
		require.Equal(t, mqtt.Success, second.Expect(mqtt.CONNACK).Code())
		close(goOn)
		expectRefused(t, w, first, mqtt.ServerBusy, 3)
		second.ExpectAlive()
	}
}
