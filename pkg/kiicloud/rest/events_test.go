package rest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// events gives what waits for an installation.
func (l *bucketLab) events(installationID string) (all []map[string]any) {
	l.t.Helper()
	pushes, err := l.store.Pending(context.Background(), installationID, 0, store.QueueMax)
	require.NoError(l.t, err)
	for _, p := range pushes {
		assert.NotEmpty(l.t, p.MessageID)
		assert.LessOrEqual(l.t, len(p.Payload), MaxPush)
		var e map[string]any
		require.NoError(l.t, json.Unmarshal(p.Payload, &e))
		all = append(all, e)
	}
	return all
}

func (l *bucketLab) subscribe(token, bucket, subscriber string) {
	l.t.Helper()
	a := l.call("PUT", bucket+"/filters/all/push/subscriptions/"+subscriber, token, "")
	require.Equal(l.t, 204, a.StatusCode, a.text)
}

// Each change of an object is told, with who made it and where, in every scope.
func TestEventsOfABucket(t *testing.T) {
	for _, tc := range []struct {
		scope, subscriber, caller string
	}{
		{"app", "ann", "ann"}, {"app", "bob", "ann"}, {"app", "ann", "box"}, {"app", "box", "root"},
		{"ann", "ann", "ann"}, {"ann", "ann", "root"}, {"box", "box", "box"},
	} {
		t.Run(tc.caller+" tells "+tc.subscriber+" of a bucket of "+tc.scope, func(t *testing.T) {
			l := newBucketLab(t)
			l.subscribe(l.token(tc.subscriber), l.bucketOf(tc.scope), map[string]string{"ann": "users/me", "bob": "users/me", "box": "things/" + l.boxID}[tc.subscriber])
			installation, _ := l.install(l.token(tc.subscriber))
			token := l.token(tc.caller)

			want := map[string]any{
				"origin": "EVENT", "appID": "demo", "bucketID": "notes", "bucketType": "rw",
				"objectScopeAppID": "demo", "objectScopeType": "APP", "senderURI": "kiicloud://admins/APP_ADMIN",
			}
			source := "kiicloud://buckets/notes"
			switch tc.scope {
			case "ann":
				want["objectScopeType"], want["objectScopeUserID"] = "APP_AND_USER", l.annID
				source = "kiicloud://users/" + l.annID + "/buckets/notes"
			case "box":
				want["objectScopeType"], want["objectScopeThingID"] = "APP_AND_THING", l.boxID
				source = "kiicloud://things/" + l.boxID + "/buckets/notes"
			}
			switch tc.caller {
			case "ann":
				want["sender"], want["senderURI"] = l.annID, "kiicloud://users/"+l.annID
			case "box":
				want["sender"], want["senderURI"] = l.boxID, "kiicloud://things/"+l.boxID
			}
			expect := func(kind, object string) {
				t.Helper()
				want["type"], want["when"] = kind, float64(l.clock().UnixMilli())
				delete(want, "objectID")
				delete(want, "modifiedAt")
				want["sourceURI"] = source
				if object != "" {
					want["objectID"], want["modifiedAt"], want["sourceURI"] = object, want["when"], source+"/objects/"+object
				}
				all := l.events(installation)
				require.NotEmpty(t, all)
				assert.Equal(t, want, all[len(all)-1])
				require.NotEmpty(t, l.engine.told)
				last := l.engine.told[len(l.engine.told)-1]
				require.Len(t, last.To, 1, "the engine delivers it")
				assert.Equal(t, installation, last.To[0].ID)
			}

			path := l.create(token, l.bucketOf(tc.scope), `{"secret":"not in the event"}`)
			id := path[strings.LastIndex(path, "/")+1:]
			expect("DATA_OBJECT_CREATED", id)
			l.advance(time.Second)
			require.Equal(t, 200, l.call("PATCH", path, token, `{"n":1}`).StatusCode)
			expect("DATA_OBJECT_UPDATED", id)
			l.advance(time.Second)
			require.Equal(t, 200, l.call("PUT", path, token, `{"n":2}`).StatusCode)
			expect("DATA_OBJECT_UPDATED", id)
			l.advance(time.Second)
			require.Equal(t, 204, l.call("DELETE", path, token, "").StatusCode)
			expect("DATA_OBJECT_DELETED", id)
			require.Equal(t, 201, l.call("PUT", path, token, `{}`).StatusCode)
			expect("DATA_OBJECT_CREATED", id)
			if tc.scope != "app" || tc.caller == "root" {
				require.Equal(t, 204, l.call("DELETE", l.bucketOf(tc.scope), token, "").StatusCode)
				expect("BUCKET_DELETED", "")
			}
		})
	}
}

// What changes nothing is told to nobody.
func TestNoEventWithoutAChange(t *testing.T) {
	l := newBucketLab(t)
	l.subscribe(l.ann, appBucket, "users/me")
	installation, _ := l.install(l.ann)
	path := l.create(l.ann, appBucket, `{}`)
	require.Len(t, l.events(installation), 1)
	for _, refused := range []answer{
		l.call("PATCH", path, l.bob, `{}`),
		l.call("PATCH", path, l.ann, `{}`, "If-Match", "7"),
		l.call("PUT", path, l.ann, `{}`, "If-None-Match", "*"),
		l.call("PUT", path, l.ann, `{"_x":1}`),
		l.call("DELETE", path+"x", l.ann, ""),
		l.call("PATCH", path+"x", l.ann, `{}`),
		l.call("DELETE", path, l.bob, ""),
		l.call("DELETE", appBucket, l.ann, ""),
		l.call("DELETE", appBucket+"x", l.root, ""),
		l.call("POST", appBucket+"/objects", "", `{}`),
	} {
		assert.GreaterOrEqual(t, refused.StatusCode, 400)
	}
	assert.Len(t, l.events(installation), 1)
	assert.Len(t, l.engine.told, 1)
	l.call("GET", path, l.ann, "")
	assert.Len(t, l.events(installation), 1)
}

// Development and production are both told; who is not installed, or has unsubscribed, is not.
func TestWhoIsTold(t *testing.T) {
	l := newBucketLab(t)
	l.subscribe(l.ann, appBucket, "users/me")
	l.subscribe(l.bob, appBucket, "users/me")
	a := l.call("POST", "/api/apps/demo/installations", l.ann, `{"deviceType":"MQTT","development":true}`)
	require.Equal(t, 201, a.StatusCode)
	bob, _ := l.install(l.bob)
	l.create(l.root, appBucket, `{}`)
	assert.Len(t, l.events(a.str("installationID")), 1)
	assert.Len(t, l.events(bob), 1)
	l.create(l.root, appBucket+"2", `{}`)
	require.Equal(t, 204, l.call("DELETE", appBucket+"/filters/all/push/subscriptions/users/me", l.bob, "").StatusCode)
	l.create(l.root, appBucket, `{}`)
	assert.Len(t, l.events(a.str("installationID")), 2)
	assert.Len(t, l.events(bob), 1)
}

// failingStore cannot change objects.
type failingStore struct{ *store.SQL }

func (failingStore) ChangeObject(context.Context, store.Bucket, string, func(*store.Object) (store.ObjectChange, error)) (store.Told, error) {
	return store.Told{}, errors.New("secret-detail")
}

// When the event cannot be queued, the change is not made either, and the caller is told.
func TestAChangeThatCannotBeStored(t *testing.T) {
	l := newBucketLab(t)
	path := l.create(l.ann, appBucket, `{"n":1}`)
	l.api.Store = failingStore{l.store}
	a := l.call("PATCH", path, l.ann, `{"n":2}`)
	a.want(t, 500, "INTERNAL_SERVER_ERROR")
	assert.NotContains(t, a.text, "secret-detail")
	assert.Len(t, l.engine.told, 1)
}

// With the longest of all names an event is far from the limit.
func TestAnEventIsSmall(t *testing.T) {
	id := store.NewID()
	for _, kind := range []eventKind{objectCreated, objectUpdated, objectDeleted, bucketDeleted} {
		push, err := event{
			kind: kind, objectID: strings.Repeat("o", 100), at: time.UnixMilli(1 << 50),
			bucket: store.Bucket{Scope: store.Scope{AppID: strings.Repeat("a", 200), Kind: store.ScopeThing, ID: id}, Name: strings.Repeat("b", 64)},
			by:     store.Owner{Kind: store.OwnerThing, ID: id},
		}.push()
		require.NoError(t, err)
		assert.Less(t, len(push.Payload), MaxPush/2)
	}
}
