package journey

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// online installs and connects.
func (tr *traveller) online() *traveller {
	tr.Helper()
	_, endpoint := tr.install()
	tr.connect(endpoint, kiiweb.TransportSSL)
	return tr
}

// sendToTopic sends the numbers from first to last to a topic.
func (tr *traveller) sendToTopic(topic kiiweb.Topic, first, last int) {
	tr.Helper()
	for n := first; n <= last; n++ {
		id, err := tr.client.SendToTopic(tr.ctx, topic, kiiweb.PushMessage{Data: map[string]any{"n": fmt.Sprint(n)}})
		require.NoError(tr, err)
		require.NotEmpty(tr, id)
	}
}

// administrator makes a client with an administrator's token. The client takes it for a
// user's; to create, delete and send to topics that makes no difference.
func administrator(t *testing.T, c *cloud.Cloud) *traveller {
	status, body := c.Call("POST", "/oauth2/token", "", "application/json",
		map[string]any{"client_id": c.Ready.ClientID, "client_secret": c.Ready.ClientSecret})
	require.Equal(t, http.StatusOK, status, "%v", body)
	tr := stranger(t, c)
	_, err := tr.client.UseToken(tr.ctx, fmt.Sprint(body["access_token"]), kiiweb.Owner{ID: fmt.Sprint(body["id"])})
	require.NoError(t, err)
	return tr
}

// An administrator tells everybody who has subscribed, users and things.
func TestAppTopic(t *testing.T) {
	c := cloud.Start(t)
	admin := administrator(t, c)
	user, thing, bystander := newTraveller(t, c).online(), newThing(t, c).online(), newTraveller(t, c).online()
	news := kiiweb.Topic{Name: "news"}

	exists, err := user.client.TopicExists(user.ctx, news)
	require.NoError(t, err)
	assert.False(t, exists)
	for name, err := range map[string]error{
		"subscribe": user.client.Subscribe(user.ctx, news), "unsubscribe": user.client.Unsubscribe(user.ctx, news),
	} {
		assert.Equal(t, kiiweb.CodeNotFound, kiiweb.CodeOf(err), "%s: %v", name, err)
	}
	assert.Equal(t, kiiweb.CodeUnauthorized, kiiweb.CodeOf(user.client.CreateTopic(user.ctx, news)), "an administrator's to create")

	require.NoError(t, admin.client.CreateTopic(admin.ctx, news))
	assert.Equal(t, kiiweb.CodeConflict, kiiweb.CodeOf(admin.client.CreateTopic(admin.ctx, news)))
	for _, tr := range []*traveller{user, thing} {
		exists, err := tr.client.TopicExists(tr.ctx, news)
		require.NoError(t, err)
		assert.True(t, exists)
		for range 2 {
			require.NoError(t, tr.client.Subscribe(tr.ctx, news))
		}
		subscribed, err := tr.client.IsSubscribed(tr.ctx, news)
		require.NoError(t, err)
		assert.True(t, subscribed)
	}
	admin.sendToTopic(news, 1, 3)
	user.receives(3)
	thing.receives(3)
	_, err = user.client.SendToTopic(user.ctx, news, kiiweb.PushMessage{Data: map[string]any{"n": "x"}})
	assert.Equal(t, kiiweb.CodeUnauthorized, kiiweb.CodeOf(err), "an administrator's to send to: %v", err)

	for range 2 {
		require.NoError(t, user.client.Unsubscribe(user.ctx, news))
	}
	subscribed, err := user.client.IsSubscribed(user.ctx, news)
	require.NoError(t, err)
	assert.False(t, subscribed)
	admin.sendToTopic(news, 4, 4)
	thing.receives(4)
	user.send(4, 4) // what comes next is this: nothing else was under way to it
	user.receives(4)
	bystander.send(1, 1)
	bystander.receives(1)

	require.NoError(t, admin.client.DeleteTopic(admin.ctx, news))
	assert.Equal(t, kiiweb.CodeNotFound, kiiweb.CodeOf(admin.client.DeleteTopic(admin.ctx, news)))
}

// A user's topic, and a thing's, are its own.
func TestOwnTopics(t *testing.T) {
	c := cloud.Start(t)
	for name, tr := range map[string]*traveller{"user": newTraveller(t, c).online(), "thing": newThing(t, c).online()} {
		t.Run(name, func(t *testing.T) {
			login, _ := tr.client.Current()
			mine := kiiweb.Topic{UserID: login.Owner.ID}
			if login.Owner.Kind == kiiweb.OwnerThing {
				mine = kiiweb.Topic{ThingID: login.Owner.ID}
			}
			alerts := mine
			alerts.Name = "alerts"
			require.NoError(t, tr.client.CreateTopic(tr.ctx, alerts))
			require.NoError(t, tr.client.Subscribe(tr.ctx, alerts))
			tr.sendToTopic(alerts, 1, 5)
			tr.receives(5)

			list, err := tr.client.ListTopics(tr.ctx, mine, "")
			require.NoError(t, err)
			assert.Equal(t, kiiweb.TopicList{Names: []string{"alerts"}}, list)
			other := newTraveller(t, c)
			_, foreign := other.client.SendToTopic(other.ctx, alerts, kiiweb.PushMessage{Data: map[string]any{"n": "x"}})
			for name, err := range map[string]error{
				"send": foreign, "subscribe": other.client.Subscribe(other.ctx, alerts), "delete": other.client.DeleteTopic(other.ctx, alerts),
			} {
				assert.Equal(t, kiiweb.CodeUnauthorized, kiiweb.CodeOf(err), "%s: %v", name, err)
			}

			require.NoError(t, tr.client.DeleteTopic(tr.ctx, alerts))
			exists, err := tr.client.TopicExists(tr.ctx, alerts)
			require.NoError(t, err)
			assert.False(t, exists)
			tr.send(6, 6)
			tr.receives(6)
		})
	}
}

// More topics than fit on a page are listed page by page, each once.
func TestListingManyTopics(t *testing.T) {
	c := cloud.Start(t)
	tr := newTraveller(t, c)
	var want, got []string
	for i := range 120 {
		name := fmt.Sprintf("topic_%03d", i)
		require.NoError(t, tr.client.CreateTopic(tr.ctx, kiiweb.Topic{Name: name, UserID: "me"}))
		want = append(want, name)
	}
	pages, key := 0, ""
	for pages == 0 || key != "" {
		list, err := tr.client.ListTopics(tr.ctx, kiiweb.Topic{UserID: "me"}, key)
		require.NoError(t, err)
		got, key, pages = append(got, list.Names...), list.PaginationKey, pages+1
		require.LessOrEqual(t, len(got), len(want))
	}
	slices.Sort(got)
	assert.Equal(t, want, got)
	assert.Greater(t, pages, 1)
}
