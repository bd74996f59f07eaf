package kiicloud

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// A cloud that was moved to PostgreSQL goes on where it was: logins, tokens, endpoints, topics,
// objects and pushes that wait.
func TestACloudMovesToPostgres(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := start(t, dir)
	p := newcomer(t, s.Ready(), "alice")
	for n := range 3 {
		p.push(strconv.Itoa(n))
	}
	for method, path := range map[string]string{"PUT": "/users/me/topics/news", "POST": "/users/me/buckets/notes/objects"} {
		status, body := call(t, p.client, method, p.app+path, p.token, `{"a":"ünï\u0000"}`)
		require.Less(t, status, 300, "%v", body)
	}
	status, body := call(t, p.client, "PUT", p.app+"/users/me/topics/news/push/subscriptions/users/me", p.token, "")
	require.Equal(t, 204, status, "%v", body)

	url := pgtest.Shared(t).Schema(t, "t"+strings.ToLower(store.NewID()))
	_, err := store.MoveToPostgres(ctx, dir, url)
	require.ErrorIs(t, err, store.ErrLocked, "the cloud is running")
	stop(t, s)
	counts, err := store.MoveToPostgres(ctx, dir, url)
	require.NoError(t, err)
	rows := map[string]int64{}
	for _, c := range counts {
		rows[c.Table] = c.Rows
	}
	assert.Equal(t, map[string]int64{"users": 1, "things": 0, "tokens": 1, "installations": 1, "bodies": 0, "queue": 3, "topics": 1,
		"topic_subscriptions": 1, "objects": 1, "bucket_subscriptions": 0, "endings": 0}, rows)
	_, err = store.MoveToPostgres(ctx, dir, url)
	require.ErrorContains(t, err, "not empty")

	r := start(t, dir, func(c *Config) { c.Store = url }).Ready()
	p.app = r.API + "/apps/demo"
	c := p.greet(guardtest.DialTCP(t, mqtt.V5, "127.0.0.1:"+strconv.Itoa(r.PortTCP)), mqtt.V5)
	for n := range 3 {
		require.Equal(t, strconv.Itoa(n), received(t, c))
	}
	status, body = call(t, p.client, "POST", p.app+"/users/me/topics/news/push/messages", p.token, `{"data":{"m":"by topic"},"mqtt":{"enabled":true}}`)
	require.Equal(t, 201, status, "%v", body)
	assert.Equal(t, "by topic", received(t, c))
	status, body = call(t, p.client, "POST", p.app+"/users/me/buckets/notes/query", p.token, `{"bucketQuery":{"clause":{"type":"all"}}}`)
	require.Equal(t, 200, status, "%v", body)
	assert.Equal(t, "ünï\x00", body["results"].([]any)[0].(map[string]any)["a"])
}
