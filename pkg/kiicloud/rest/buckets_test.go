package rest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bucketLab is a lab with callers of every kind.
type bucketLab struct {
	*lab
	annID, bobID, boxID string
	ann, bob, box, root string // their tokens; box is a thing, root an administrator
}

func newBucketLab(t *testing.T) *bucketLab {
	t.Helper()
	l := &bucketLab{lab: newLab(t)}
	l.annID, l.ann = l.user("ann")
	l.bobID, l.bob = l.user("bob")
	a := l.call("POST", "/api/apps/demo/things", "", `{"_vendorThingID":"box","_password":"pw-box"}`,
		"Content-Type", "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json")
	require.Equal(t, 201, a.StatusCode, a.text)
	l.boxID, l.box = a.str("_thingID"), a.str("_accessToken")
	require.NotEmpty(t, l.boxID)
	require.NotEmpty(t, l.box)
	l.root = l.admin()
	return l
}

// token gives the token of a caller by name; nobody has none.
func (l *bucketLab) token(name string) string {
	return map[string]string{"ann": l.ann, "bob": l.bob, "box": l.box, "root": l.root}[name]
}

// create makes an object and gives its path.
func (l *bucketLab) create(token, bucket, body string) string {
	l.t.Helper()
	a := l.call("POST", bucket+"/objects", token, body)
	require.Equal(l.t, 201, a.StatusCode, a.text)
	return bucket + "/objects/" + a.str("objectID")
}

const appBucket = "/api/apps/demo/buckets/notes"

func (l *bucketLab) bucketOf(scope string) string {
	switch scope {
	case "ann":
		return "/api/apps/demo/users/" + l.annID + "/buckets/notes"
	case "box":
		return "/api/apps/demo/things/" + l.boxID + "/buckets/notes"
	}
	return appBucket
}

// Every call on buckets, in every scope, by every kind of caller. In each case the object
// was created by ann in the app's bucket, and else by the owner of the scope.
func TestWhoMayDoWhatInABucket(t *testing.T) {
	const (
		create = "POST /objects"
		read   = "GET /objects/{id}"
		patch  = "PATCH /objects/{id}"
		put    = "PUT /objects/{id}"
		remove = "DELETE /objects/{id}"
		query  = "POST /query"
		drop   = "DELETE "
	)
	reading, writing := []string{create, read, query}, []string{patch, put, remove}
	cases := []struct {
		scope, caller string
		allowed       []string
	}{
		{"app", "ann", append(reading, writing...)},
		{"app", "bob", reading},
		{"app", "box", reading},
		{"app", "root", append(append(reading, writing...), drop)},
		{"app", "nobody", nil},
		{"ann", "ann", append(append(reading, writing...), drop)},
		{"ann", "bob", nil},
		{"ann", "box", nil},
		{"ann", "root", append(append(reading, writing...), drop)},
		{"ann", "nobody", nil},
		{"box", "ann", nil},
		{"box", "bob", nil},
		{"box", "box", append(append(reading, writing...), drop)},
		{"box", "root", append(append(reading, writing...), drop)},
		{"box", "nobody", nil},
	}
	l := newBucketLab(t)
	for _, tc := range cases {
		t.Run(tc.scope+" scope by "+tc.caller, func(t *testing.T) {
			bucket, creator := l.bucketOf(tc.scope), l.ann
			if tc.scope == "box" {
				creator = l.box
			}
			for _, action := range []string{create, read, patch, put, remove, query, drop} {
				object := l.create(creator, bucket, `{"n":1}`)
				method, rest, _ := strings.Cut(action, " ")
				path := bucket + strings.Replace(rest, "/objects/{id}", strings.TrimPrefix(object, bucket), 1)
				body := `{"n":2}`
				if action == query {
					body = `{"bucketQuery":{"clause":{"type":"all"}}}`
				}
				a := l.call(method, path, l.token(tc.caller), body)
				if !slices.Contains(tc.allowed, action) {
					a.want(t, 401, "UNAUTHORIZED")
					assert.Equal(t, 200, l.call("GET", object, creator, "").StatusCode, "%s left it alone", action)
					continue
				}
				assert.Less(t, a.StatusCode, 300, "%s: %s", action, a.text)
				gone := l.call("GET", object, creator, "").StatusCode == 404
				assert.Equal(t, action == remove || action == drop, gone, action)
			}
		})
	}
}

// The paths as clients write them.
func TestPathsOfABucket(t *testing.T) {
	l := newBucketLab(t)
	for _, tc := range []struct{ name, path, token, same string }{
		{"the official SDK's double slash", "/api/apps/demo//buckets/notes", l.ann, appBucket},
		{"of a user", "/api/apps/demo//users/" + l.annID + "/buckets/notes", l.ann, l.bucketOf("ann")},
		{"of me", "/api/apps/demo//users/me/buckets/notes", l.ann, l.bucketOf("ann")},
		{"of a thing", "/api/apps/demo//things/" + l.boxID + "/buckets/notes", l.box, l.bucketOf("box")},
		{"of a thing by its vendor's id", "/api/apps/demo/things/VENDOR_THING_ID:box/buckets/notes", l.box, l.bucketOf("box")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := l.call("POST", tc.path+"/objects?disable_cache=1700000000000", tc.token, `{"where":"here"}`)
			require.Equal(t, 201, a.StatusCode, a.text)
			object := tc.same + "/objects/" + a.str("objectID")
			assert.Equal(t, object, a.Header.Get("Location"), "by the ids")
			b := l.call("GET", object, tc.token, "")
			assert.Equal(t, "here", b.str("where"), b.text)
		})
	}
	l.call("GET", "/api/apps/demo/users/me/buckets/notes/objects/xx", l.box, "").want(t, 403, "WRONG_TOKEN")
	l.call("GET", "/api/apps/demo/users/none/buckets/notes/objects/xx", l.root, "").want(t, 404, "USER_NOT_FOUND")
	l.call("GET", "/api/apps/demo/things/none/buckets/notes/objects/xx", l.root, "").want(t, 404, "THING_NOT_FOUND")
}

func TestNamesOfBucketsAndObjects(t *testing.T) {
	l := newBucketLab(t)
	long := strings.Repeat("x", 101)
	for _, tc := range []struct {
		name, bucket, object string
		ok                   bool
	}{
		{"plain", "notes", "first", true},
		{"all kinds of characters", "My_Notes-1", "My_First-1.2", true},
		{"short", "ab", "ab", true},
		{"long", long[:64], long[:100], true},
		{"bucket too short", "a", "first", false},
		{"bucket too long", long[:65], "first", false},
		{"bucket with a dot", "my.notes", "first", false},
		{"bucket with a colon", "cr:notes", "first", false},
		{"bucket with a percent sign", "no%25tes", "first", false},
		{"bucket that is not ASCII", "n%C3%B6tes", "first", false},
		{"object too short", "notes", "a", false},
		{"object too long", "notes", long, false},
		{"object with a space", "notes", "a%20b", false},
		{"object with a slash", "notes", "a%2Fb", false},
		{"object of dots", "notes", "%2E%2E", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := "/api/apps/demo/buckets/" + tc.bucket + "/objects/" + tc.object
			a := l.call("PUT", path, l.ann, `{}`)
			if tc.ok {
				require.Equal(t, 201, a.StatusCode, a.text)
				assert.Equal(t, 200, l.call("GET", path, l.ann, "").StatusCode)
				return
			}
			a.want(t, 400, "INVALID_INPUT_DATA")
		})
	}
}

func TestDeletingABucket(t *testing.T) {
	l := newBucketLab(t)
	bucket := l.bucketOf("ann")
	object := l.create(l.ann, bucket, `{}`)
	other := l.create(l.ann, bucket+"2", `{}`)
	require.Equal(t, 204, l.call("DELETE", bucket, l.ann, "").StatusCode)
	l.call("GET", object, l.ann, "").want(t, 404, "OBJECT_NOT_FOUND")
	assert.Equal(t, 200, l.call("GET", other, l.ann, "").StatusCode)
	l.call("DELETE", bucket, l.ann, "").want(t, 404, "BUCKET_NOT_FOUND")
}
