package rest

import (
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// oddBodies are requests that some route nearly takes.
var oddBodies = []string{
	"null", "{}", `[]`, `{"a":1}`, `{"loginName":"\u0000%"}`, `{"data":{"a":null,"%":"%"},"mqtt":{}}`, `{"deviceType":"MQTT","userID":"%","development":"true"}`,
	`{"username":"PHONE:","password":"x"}`, `{"_vendorThingID":"x","_password":"abcd","_numberField1":1e3}`, `{"disabled":"null"}`, `{"oldPassword":1}`,
	`{"emailAddress":"%@x"}`, `{"bucketQuery":{"clause":{"type":"all"}},"paginationKey":"%","bestEffortLimit":1}`,
	`{"bucketQuery":{"clause":{"type":"all"},"aggregations":[{"type":"COUNT","putAggregationInto":"%"}]}}`,
}

// memory is a folder in memory, where a system has one: almost all of an execution is to wait until what it
// commits is on a disk.
const memory = "/dev/shm"

// Whatever a client sends to whatever route is answered: not with a failure of the server's,
// not by sending the client elsewhere, and without a raw '%' in body or header.
func FuzzRequests(f *testing.F) {
	if _, err := os.Stat(memory); err == nil {
		f.Setenv("TMPDIR", memory)
	}
	l, routes := newLab(f), Routes()
	for i := range routes {
		f.Add(uint16(i), byte(5*i), "me", "a%2e", oddBodies[i%len(oddBodies)], "application/vnd.kii.RegistrationAndAuthorizationRequest+json", `"1"`)
	}
	f.Add(uint16(0), byte(0x7F), "VENDOR_THING_ID:x", "..", "null", "application/vnd.demo.%25+json", "*")
	f.Fuzz(func(t *testing.T, route uint16, how byte, id, name, body, contentType, match string) {
		r := routes[int(route)%len(routes)]
		user, thing := l.newOwners(t)
		values := map[string]string{"appID": "demo", "userID": user.ID, "thingID": thing.ID, "subscriberUserID": user.ID, "subscriberThingID": thing.ID,
			"filter": everything, "topicID": name, "bucket": name, "object": name, "id": name}
		if how&4 != 0 {
			values["userID"], values["thingID"] = id, id
		}
		if how&8 != 0 {
			values["subscriberUserID"], values["subscriberThingID"] = id, id
		}
		path := pathVariable.ReplaceAllStringFunc(r.Pattern, func(v string) string { return url.PathEscape(values[strings.Trim(v, "{}")]) })
		if how&16 != 0 {
			path += "?paginationKey=" + url.QueryEscape(id)
		}
		req := httptest.NewRequest(r.Method, path, strings.NewReader(body))
		caller := []store.Owner{user, thing, {AppID: "demo", Kind: store.OwnerAdmin, ID: "root"}}[how%3]
		for header, value := range map[string]string{"X-Kii-AppID": "demo", "X-Kii-AppKey": "demo-key", "Content-Type": contentType, "Authorization": "bearer " + l.tokenOf(t, caller)} {
			req.Header.Set(header, value)
		}
		if how&32 != 0 {
			req.Header.Set("If-Match", match)
		}
		if how&64 != 0 {
			req.Header.Set("If-None-Match", match)
		}
		w := httptest.NewRecorder()
		l.api.ServeHTTP(w, req)
		require.Less(t, w.Code, 500, "%s %s: %s", r.Method, path, w.Body)
		require.False(t, w.Code >= 300 && w.Code < 400, "%s %s: %s", r.Method, path, w.Header())
		require.NotContains(t, w.Body.String(), "%")
		for header, value := range w.Header() {
			require.NotContains(t, strings.Join(value, " "), "%", header)
		}
	})
}

// newOwners makes a user and a thing with the password hash "h".
func (l *lab) newOwners(t testing.TB) (user, thing store.Owner) {
	u, err := l.store.CreateUser(context.Background(), store.User{AppID: "demo", LoginName: store.NewID(), PasswordHash: "h"})
	require.NoError(t, err)
	th, err := l.store.CreateThing(context.Background(), store.Thing{AppID: "demo", VendorThingID: store.NewID(), PasswordHash: "h"})
	require.NoError(t, err)
	return store.Owner{AppID: "demo", Kind: store.OwnerUser, ID: u.ID}, store.Owner{AppID: "demo", Kind: store.OwnerThing, ID: th.ID}
}

// tokenOf makes a token of an owner whose password hash is "h".
func (l *lab) tokenOf(t testing.TB, o store.Owner) string {
	token := store.RandomString(tokenLength)
	require.NoError(t, l.store.PutToken(context.Background(), store.Token{Hash: l.api.hashToken(token), Owner: o, ExpiresAt: l.clock().Add(time.Hour)}, "h"))
	return token
}
