package rest

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Every kind of caller there is, in the order of the columns of the access table. The
// owner is whose resource the path names: a user, or under /things/ that thing.
var accessCallers = []string{
	"nobody", "the owner", "another user", "another thing", "an administrator", "an expired token", "another app's token",
}

// world is what one cell of the access table finds: fresh users and things, and of the
// resources what the route needs. It shares its lab with the other cells.
type world struct {
	*lab
	t       *testing.T
	hash    string      // of everybody's password, "old-password"
	owner   store.Owner // of what the path names
	tokens  map[string]string
	values  map[string]string // of the path's variables
	pattern string
}

func newWorld(t *testing.T, l *lab, pattern string) *world {
	hash, err := l.api.passwords.hash(context.Background(), "old-password")
	require.NoError(t, err)
	w := &world{lab: l, t: t, pattern: pattern, hash: hash}
	user, other := w.addUser("demo"), w.addUser("demo")
	thing, otherThing := w.addThing(), w.addThing()
	w.owner = user
	if belongsToThing(pattern) {
		w.owner = thing
	}
	w.tokens = map[string]string{
		"nobody":              "",
		"the owner":           w.addToken(w.owner, time.Hour),
		"another user":        w.addToken(other, time.Hour),
		"another thing":       w.addToken(otherThing, time.Hour),
		"an administrator":    w.addToken(store.Owner{AppID: "demo", Kind: store.OwnerAdmin, ID: "root"}, time.Hour),
		"an expired token":    w.addToken(w.owner, -time.Hour),
		"another app's token": w.addToken(w.addUser("other"), time.Hour),
	}
	w.values = map[string]string{
		"appID": "demo", "userID": user.ID, "thingID": thing.ID,
		"subscriberUserID": user.ID, "subscriberThingID": thing.ID,
	}
	return w
}

// belongsToThing tells whether the owner of what the path names is a thing: of its scope, or in
// the app's scope the subscriber.
func belongsToThing(pattern string) bool {
	if strings.HasPrefix(pattern, inApp+"/users/") {
		return false
	}
	return strings.HasPrefix(pattern, inApp+"/things/") || strings.Contains(pattern, "/subscriptions/things")
}

func (w *world) addUser(app string) store.Owner {
	u, err := w.store.CreateUser(context.Background(), store.User{AppID: app, LoginName: store.NewID(), PasswordHash: w.hash})
	require.NoError(w.t, err)
	return store.Owner{AppID: app, Kind: store.OwnerUser, ID: u.ID}
}

func (w *world) addThing() store.Owner {
	th, err := w.store.CreateThing(context.Background(), store.Thing{AppID: "demo", VendorThingID: store.NewID(), PasswordHash: w.hash})
	require.NoError(w.t, err)
	return store.Owner{AppID: "demo", Kind: store.OwnerThing, ID: th.ID}
}

// addToken issues a token that ends in d from now.
func (w *world) addToken(o store.Owner, d time.Duration) string {
	token := newToken(o)
	require.NoError(w.t, w.store.PutToken(context.Background(), store.Token{Hash: w.api.hashToken(token), Owner: o, ExpiresAt: w.clock().Add(d)}, w.hash))
	return token
}

var pathVariable = regexp.MustCompile(`\{(\w+)\}`)

// path fills in a pattern; every variable must have a value.
func (w *world) path(pattern string) string {
	return pathVariable.ReplaceAllStringFunc(pattern, func(v string) string {
		value := w.values[strings.Trim(v, "{}")]
		require.NotEmpty(w.t, value, "%s in %s has no value", v, pattern)
		return value
	})
}

// scopePath is the beginning of the pattern's path that names the scope.
func (w *world) scopePath() string {
	for _, prefix := range []string{inApp + "/users/{userID}", inApp + "/things/{thingID}"} {
		if strings.HasPrefix(w.pattern, prefix) {
			return w.path(prefix)
		}
	}
	return w.path(inApp)
}

var numbers atomic.Int64

// unique puts what is nobody's yet into a body.
func (w *world) unique(body string) string {
	number := strconv.FormatInt(300_000_000+numbers.Add(1), 10)
	return strings.NewReplacer("{new}", store.NewID(), "{number}", number).Replace(body)
}

// do is a call by the administrator that has to succeed.
func (w *world) do(method, path, body string) answer {
	w.t.Helper()
	a := w.call(method, path, w.tokens["an administrator"], body)
	require.Less(w.t, a.StatusCode, 300, "%s %s: %s", method, path, a.text)
	return a
}

// What a route needs to find, by name in the table.

func (w *world) installed() {
	i, _, err := w.store.Install(context.Background(), store.Installation{Owner: w.owner, DeviceType: deviceMQTT})
	require.NoError(w.t, err)
	w.values["id"] = i.ID
}

func (w *world) topicNamed() { w.values["topicID"] = "topic-" + store.NewID() }

func (w *world) topic() {
	w.topicNamed()
	w.do("PUT", w.scopePath()+"/topics/"+w.values["topicID"], "")
}

func (w *world) subscription() {
	w.topic()
	w.do("PUT", w.path(w.pattern), "")
}
