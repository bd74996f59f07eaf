package journey

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// audience is how many subscribers TestATopicOfManySubscribers has.
const audience = 1000

// One message to an app's topic with a thousand subscribers, each of them connected: it
// is accepted once and reaches every one of them once. The times are for the log.
func TestATopicOfManySubscribers(t *testing.T) {
	c := cloud.Start(t)
	admin := c.Admin()
	status, body := c.Call("PUT", "/apps/"+c.Ready.AppID+"/topics/news", admin, "", nil)
	require.Equal(t, http.StatusNoContent, status, "%v", body)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	began := time.Now()
	listeners := make([]*listener, audience)
	require.NoError(t, each(audience, func(n int) (err error) {
		listeners[n], err = newListener(ctx, c)
		return err
	}))
	t.Logf("%d users registered, installed, subscribed and connected in %v", audience, time.Since(began).Round(time.Millisecond))
	defer func() {
		assert.NoError(t, each(audience, func(n int) error { return listeners[n].conn.Close(ctx) }))
	}()

	began = time.Now()
	status, body = c.Call("POST", "/apps/"+c.Ready.AppID+"/topics/news/push/messages", admin,
		"application/vnd.kii.SendPushMessageRequest+json", map[string]any{
			"data": map[string]any{"n": 1}, "mqtt": map[string]any{"enabled": true}, "sendTopicID": true,
		})
	accepted := time.Since(began)
	require.Equal(t, http.StatusCreated, status, "%v", body)

	for _, l := range listeners {
		select {
		case <-l.first:
		case <-ctx.Done():
			require.Fail(t, "a subscriber has received nothing", "state %+v", l.conn.State())
		}
	}
	t.Logf("accepted, stored for all, after %v; received by the last of %d after %v",
		accepted.Round(time.Millisecond), audience, time.Since(began).Round(time.Millisecond))

	status, body = c.Call("POST", "/apps/"+c.Ready.AppID+"/topics/news/push/messages", admin,
		"application/vnd.kii.SendPushMessageRequest+json", map[string]any{
			"data": map[string]any{"n": 2}, "mqtt": map[string]any{"enabled": true},
		})
	require.Equal(t, http.StatusCreated, status, "%v", body)
	for _, l := range listeners { // the second one behind it shows that the first came once
		select {
		case <-l.second:
		case <-ctx.Done():
			require.Fail(t, "a subscriber has not received the second message", "state %+v", l.conn.State())
		}
		l.mu.Lock()
		assert.Equal(t, []any{1.0, 2.0}, l.got)
		assert.Equal(t, "news", l.topic)
		l.mu.Unlock()
	}
}

// each runs f for every number below n, some at a time, and gives the errors.
func each(n int, f func(int) error) error {
	errs := make([]error, n)
	slots := make(chan struct{}, 16)
	var all sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			errs[i] = f(i)
			<-slots
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// listener is one subscriber and what has reached it.
type listener struct {
	conn          *kiiweb.Connection
	first, second chan struct{}

	mu    sync.Mutex
	got   []any
	topic any
}

// newListener makes a user without names, which costs no password hash, and takes it from
// the registration to the open connection.
func newListener(ctx context.Context, c *cloud.Cloud) (*listener, error) {
	userID, token, err := c.PseudoUser()
	if err != nil {
		return nil, err
	}
	client, err := kiiweb.New(kiiweb.Config{AppID: c.Ready.AppID, AppKey: c.Ready.AppKey, BaseURL: c.Ready.API})
	if err != nil {
		return nil, err
	}
	if _, err := client.UseToken(ctx, token, kiiweb.Owner{Kind: kiiweb.OwnerUser, ID: userID}); err != nil {
		return nil, err
	}
	inst, err := client.InstallMQTT(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := client.Subscribe(ctx, kiiweb.Topic{Name: "news"}); err != nil {
		return nil, err
	}
	endpoint, err := client.MQTTEndpoint(ctx, inst.InstallationID)
	if err != nil {
		return nil, err
	}
	l := &listener{first: make(chan struct{}), second: make(chan struct{})}
	l.conn, err = client.Connect(ctx, endpoint, kiiweb.ConnectOptions{Transport: kiiweb.TransportTCP, OnMessages: l.take})
	return l, err
}

func (l *listener) take(batch []kiiweb.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range batch {
		object, _ := m.JSON()
		l.got = append(l.got, object["n"])
		switch len(l.got) {
		case 1:
			l.topic = object["topic"]
			close(l.first)
		case 2:
			close(l.second)
		}
	}
}
