package rest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Who has as much as there may be is told so, and nothing is stored or sent.
func TestLimits(t *testing.T) {
	l := newLab(t, func(c *Config) {
		c.Store = openStore(t, store.Options{Now: c.Now, Limits: store.Limits{Topics: 2, Subscriptions: 2, Objects: 2}})
	})
	_, ann := l.user("ann")
	admin := l.admin()
	for n := range 3 {
		require.Equal(t, 204, l.call("PUT", fmt.Sprintf("%s/topics/t%d", inDemo, n), admin, "").StatusCode, "the app's own")
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		there                    string // the code for what is there already; empty: it is replaced
	}{
		{"topics", "PUT", "/users/me/topics/t%d", "", 204, "TOPIC_ALREADY_EXISTS"},
		{"subscriptions to topics", "PUT", "/topics/t%d/push/subscriptions/users/me", "", 204, "PUSH_SUBSCRIPTION_ALREADY_EXISTS"},
		{"subscriptions to buckets", "PUT", "/buckets/b%d/filters/all/push/subscriptions/users/me", "", 204, "PUSH_SUBSCRIPTION_ALREADY_EXISTS"},
		{"objects", "PUT", "/buckets/b%d/objects/ann", "{}", 201, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			put := func(n int) answer { return l.call(c.method, inDemo+fmt.Sprintf(c.path, n), ann, c.body) }
			for n := range 2 {
				require.Equal(t, c.status, put(n).StatusCode)
			}
			told := len(l.engine.told)
			a := put(2)
			a.want(t, 403, "LIMIT_REACHED")
			assert.Equal(t, 2.0, a.json["limit"])
			assert.Len(t, l.engine.told, told)
			if c.there != "" {
				put(0).want(t, 409, c.there)
			} else {
				assert.Equal(t, 200, put(0).StatusCode)
			}
		})
	}
}
