package rest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who may subscribe whom to which bucket: themselves, to the app's and their own; and an
// administrator everybody.
func TestWhoMaySubscribeToABucket(t *testing.T) {
	l := newBucketLab(t)
	subscribers := map[string]string{"ann": "users/" + l.annID, "bob": "users/" + l.bobID, "box": "things/" + l.boxID}
	for scope, owner := range map[string]string{"app": "", "ann": "ann", "box": "box"} {
		for _, caller := range []string{"ann", "bob", "box", "root", "nobody"} {
			for whom, subscriber := range subscribers {
				t.Run(caller+" subscribes "+whom+" to a bucket of "+scope, func(t *testing.T) {
					path := l.bucketOf(scope) + "/filters/all/push/subscriptions/" + subscriber
					allowed := caller == "root" || caller == whom && (owner == "" || owner == caller)
					for _, step := range []struct {
						method string
						status int
						code   string
					}{
						{"GET", 404, "PUSH_SUBSCRIPTION_NOT_FOUND"},
						{"DELETE", 404, "PUSH_SUBSCRIPTION_NOT_FOUND"},
						{"PUT", 204, ""},
						{"PUT", 409, "PUSH_SUBSCRIPTION_ALREADY_EXISTS"},
						{"GET", 204, ""},
						{"DELETE", 204, ""},
						{"GET", 404, "PUSH_SUBSCRIPTION_NOT_FOUND"},
					} {
						a := l.call(step.method, path, l.token(caller), "")
						switch {
						case !allowed:
							a.want(t, 401, "UNAUTHORIZED")
						case step.code == "":
							require.Equal(t, step.status, a.StatusCode, a.text)
							assert.Empty(t, a.text)
						default:
							a.want(t, step.status, step.code)
							assert.Equal(t, subscriber, a.str("subject"))
						}
					}
				})
			}
		}
	}
}

func TestWaysToNameASubscription(t *testing.T) {
	l := newBucketLab(t)
	const all = "/filters/all/push/subscriptions"
	ann, box := appBucket+all+"/users/"+l.annID, appBucket+all+"/things/"+l.boxID
	for _, tc := range []struct{ name, method, path, token, same string }{
		{"the official SDK's double slash", "PUT", "/api/apps/demo//buckets/notes" + all + "/users/" + l.annID, l.ann, ann},
		{"me", "PUT", appBucket + all + "/users/me", l.ann, ann},
		{"a thing by its vendor's id", "PUT", appBucket + all + "/things/VENDOR_THING_ID:box", l.box, box},
		{"the calling user", "POST", appBucket + all + "/users", l.ann, ann},
		{"the calling thing", "POST", appBucket + all + "/things", l.box, box},
		{"the calling user by PUT", "PUT", appBucket + all + "/users", l.ann, ann},
		{"the calling thing by PUT", "PUT", appBucket + all + "/things", l.box, box},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, 204, l.call(tc.method, tc.path, tc.token, "").StatusCode)
			require.Equal(t, 204, l.call("DELETE", tc.same, tc.token, "").StatusCode)
		})
	}
	l.call("GET", appBucket+"/filters/mine/push/subscriptions/users/me", l.ann, "").want(t, 404, "FILTER_NOT_FOUND")
	l.call("PUT", appBucket+"/filters/mine/push/subscriptions/users", l.ann, "").want(t, 404, "FILTER_NOT_FOUND")
	l.call("PUT", appBucket+all+"/users/none", l.root, "").want(t, 404, "USER_NOT_FOUND")
	l.call("PUT", appBucket+all+"/things/none", l.root, "").want(t, 404, "THING_NOT_FOUND")
	l.call("PUT", "/api/apps/demo/buckets/a.b"+all+"/users/me", l.ann, "").want(t, 400, "INVALID_INPUT_DATA")
}
