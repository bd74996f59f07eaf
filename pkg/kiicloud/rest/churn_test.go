package rest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Users who install, subscribe, are pushed to, write, uninstall and are deleted, all of it at
// once: nothing of it is the server's fault, and nobody who is gone can still be pushed to.
func TestOwnersComeAndGoAtOnce(t *testing.T) {
	l := newLiveLab(t)
	admin := l.admin()
	require.Equal(t, 204, l.call("PUT", ofFans, admin, "").StatusCode)
	const install = `{"deviceType":"MQTT"}`
	steps := []struct{ method, path, body string }{
		{"POST", "/installations", install},
		{"PUT", "/topics/fans/push/subscriptions/users/me", ""},
		{"PUT", "/buckets/notes/filters/all/push/subscriptions/users/me", ""},
		{"PUT", "/users/me/topics/own", ""},
		{"POST", "/users/me/push/messages", hiToAll},
		{"POST", "/buckets/notes/objects", `{"a":1}`},
		{"PUT", "/users/me/buckets/notes/objects/one", `{"a":1}`},
		{"DELETE", "/topics/fans/push/subscriptions/users/me", ""},
	}
	var wg sync.WaitGroup
	call := func(method, path, token, body string) answer {
		a := l.call(method, inDemo+path, token, body)
		assert.Less(t, a.StatusCode, 500, "%s %s: %s", method, path, a.text)
		return a
	}
	owners := make([]store.Owner, 6)
	for i := range owners {
		owners[i], _ = l.newOwners(t)
		token := l.tokenOf(t, owners[i])
		for first := range 3 {
			wg.Go(func() {
				for n := range 3 * len(steps) {
					step := steps[(first*3+n)%len(steps)]
					call(step.method, step.path, token, step.body)
				}
			})
		}
		wg.Go(func() {
			for range 3 {
				call("DELETE", "/installations/"+call("POST", "/installations", token, install).str("installationID"), token, "")
				call("POST", "/topics/fans/push/messages", admin, hiToAll)
			}
			assert.Equal(t, 204, call("DELETE", "/users/"+owners[i].ID, admin, "").StatusCode)
		})
	}
	wg.Wait()
	for _, o := range owners {
		left, err := l.store.InstallationsOf(context.Background(), o)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}
