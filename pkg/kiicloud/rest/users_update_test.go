package rest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const userUpdate = "application/vnd.kii.UserUpdateRequest+json"

func TestUserFields(t *testing.T) {
	l := newLab(t)
	reg := l.call("POST", "/api/apps/demo/users", "", `{"loginName":"ann","password":"pw-ann","displayName":"Ann","country":"JP","locale":"ja","emailAddress":"ann@example.com",
		"followers":5,"status":{"a":["50%"]},"_secret":1,"userID":"mine","id":"mine","internalUserID":7,"_hasPassword":false}`)
	require.Equal(t, 201, reg.StatusCode, reg.text)
	id := reg.str("userID")
	want := map[string]any{
		"userID": id, "loginName": "ann", "displayName": "Ann", "country": "JP", "locale": "ja", "emailAddress": "ann@example.com", "emailAddressVerified": true,
		"_hasPassword": true, "followers": 5.0, "status": map[string]any{"a": []any{"50%"}},
	}
	assert.Equal(t, want, reg.json)
	ann, admin := l.login("ann", "pw-ann"), l.admin()
	_, bob := l.user("bob")
	update := func(token, body string) answer {
		return l.call("POST", "/api/apps/demo/users/"+id, token, body, "Content-Type", userUpdate)
	}
	read := func(token string) map[string]any { return l.call("GET", "/api/apps/demo/users/"+id, token, "").json }
	assert.Equal(t, want, read(ann))
	assert.Equal(t, want, read(admin))
	assert.Equal(t, map[string]any{"userID": id, "loginName": "ann", "displayName": "Ann"}, read(bob))

	a := update(ann, `{"followers":6,"new":true,"_accessToken":"x","internalUserID":1}`)
	require.Equal(t, 200, a.StatusCode, a.text)
	assert.Equal(t, map[string]any{"modifiedAt": 1_700_000_000_000.0}, a.json)
	delete(want, "status")
	want["followers"], want["new"] = 6.0, true
	assert.Equal(t, want, read(ann), "custom fields are replaced, predefined ones stay")

	require.Equal(t, 200, update(admin, `{"loginName":"anna","phoneNumber":"+8190","displayName":"","country":"","locale":"en","emailAddress":"Anna@Example.com"}`).StatusCode)
	for _, gone := range []string{"followers", "new", "displayName", "country"} {
		delete(want, gone)
	}
	want["loginName"], want["phoneNumber"], want["phoneNumberVerified"], want["locale"], want["emailAddress"] = "anna", "+8190", true, "en", "anna@example.com"
	assert.Equal(t, want, read(ann))
	l.login("anna", "pw-ann")
	l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-ann"}`).want(t, 400, "invalid_grant")
	assert.Equal(t, 200, l.call("POST", "/api/apps/demo/users/me", ann, `{"loginName":"anna"}`).StatusCode, "one's own name is not taken")
}

func TestUpdateUserChecksItsInput(t *testing.T) {
	l := newLab(t)
	id, ann := l.user("ann")
	_, bob := l.user("bob")
	thingID, thing := l.thing("v")
	require.Equal(t, 204, l.call("PUT", "/api/apps/demo/users/me/email-address", bob, `{"emailAddress":"bob@example.com"}`).StatusCode)
	for _, c := range []struct {
		name, path, token, body string
		status                  int
		code                    string
	}{
		{"somebody else", id, bob, `{}`, 401, "UNAUTHORIZED"},
		{"nobody, by a stranger", "nobody", bob, `{}`, 401, "UNAUTHORIZED"},
		{"a thing", id, thing, `{}`, 401, "UNAUTHORIZED"},
		{"a thing at its own id", thingID, thing, `{}`, 401, "UNAUTHORIZED"},
		{"nobody, by an administrator", "nobody", l.admin(), `{}`, 404, "USER_NOT_FOUND"},
		{"me, as administrator", "me", l.admin(), `{}`, 403, "WRONG_TOKEN"},
		{"login name taken", "me", ann, `{"loginName":"bob"}`, 409, "USER_ALREADY_EXISTS"},
		{"email taken", "me", ann, `{"emailAddress":"BOB@example.com"}`, 409, "USER_ALREADY_EXISTS"},
		{"bad login name", "me", ann, `{"loginName":"a%41"}`, 400, "INVALID_INPUT_DATA"},
		{"login name is a number", "me", ann, `{"loginName":7}`, 400, "INVALID_INPUT_DATA"},
		{"country is an object", "me", ann, `{"country":{}}`, 400, "INVALID_INPUT_DATA"},
		{"country is a name", "me", ann, `{"country":"Japan"}`, 400, "INVALID_INPUT_DATA"},
		{"long locale", "me", ann, `{"locale":"` + strings.Repeat("x", 36) + `"}`, 400, "INVALID_INPUT_DATA"},
		{"password", "me", ann, `{"password":"pw-new"}`, 400, "INVALID_INPUT_DATA"},
		{"password with a name", "me", ann, `{"password":"pw-new","loginName":"ann"}`, 400, "INVALID_INPUT_DATA"},
		{"too many fields", "me", ann, `{"a":"` + strings.Repeat("x", maxFields) + `"}`, 400, "INVALID_INPUT_DATA"},
		{"array", "me", ann, `[]`, 400, "INVALID_INPUT_DATA"},
		{"null, which would take all fields away", "me", ann, `null`, 400, "INVALID_INPUT_DATA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/users/"+c.path, c.token, c.body, "Content-Type", userUpdate)
			a.want(t, c.status, c.code)
			if c.status == 409 {
				assert.NotEmpty(t, a.str("field"))
			}
		})
	}
	l.login("ann", "pw-ann")
}

func TestAPseudoUserGetsAName(t *testing.T) {
	l := newLab(t)
	a := l.call("POST", "/api/apps/demo/users", "", `{"score":1}`, "Content-Type", pseudoUser)
	require.Equal(t, 201, a.StatusCode, a.text)
	assert.Equal(t, typePseudo, a.Header.Get("Content-Type"))
	assert.Equal(t, false, a.json["_hasPassword"])
	id, token := a.str("userID"), a.str("_accessToken")
	update := func(body string) answer {
		return l.call("POST", "/api/apps/demo/users/"+id, token, body, "Content-Type", userUpdate)
	}
	require.Equal(t, 200, update(`{"score":2}`).StatusCode)
	update(`{"loginName":"ann"}`).want(t, 400, "INVALID_INPUT_DATA")
	l.call("PUT", "/api/apps/demo/users/me/email-address", token, `{"emailAddress":"ann@example.com"}`).want(t, 400, "INVALID_INPUT_DATA")
	update(`{"password":"pw-ann"}`).want(t, 400, "INVALID_INPUT_DATA")
	l.call("PUT", "/api/apps/demo/users/me/password", token, `{"oldPassword":"","newPassword":"pw-ann"}`).want(t, 401, "WRONG_PASSWORD")
	require.Equal(t, 200, update(`{"score":2,"loginName":"ann","password":"pw-ann"}`).StatusCode)
	l.login("ann", "pw-ann")
	me := l.call("GET", "/api/apps/demo/users/me", token, "")
	assert.Equal(t, map[string]any{"userID": id, "loginName": "ann", "_hasPassword": true, "score": 2.0}, me.json)
	update(`{"loginName":"anna","password":"pw-new"}`).want(t, 400, "INVALID_INPUT_DATA")
	assert.NotContains(t, l.log.String(), "pw-")
}

func TestChangeAddresses(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	l.user("bob")
	require.Equal(t, 200, l.call("POST", "/api/apps/demo/users/me", ann, `{"a":1,"country":"JP"}`).StatusCode)
	for _, c := range []struct {
		name, path, body string
		status           int
	}{
		{"email", "email-address", `{"emailAddress":"Ann@example.com"}`, 204},
		{"phone", "phone-number", `{"phoneNumber":"+819012345678"}`, 204},
		{"no email", "email-address", `{}`, 400},
		{"no phone", "phone-number", `{"emailAddress":"x@y"}`, 400},
		{"bad email", "email-address", `{"emailAddress":"x"}`, 400},
		{"bad phone", "phone-number", `{"phoneNumber":"x"}`, 400},
	} {
		a := l.call("PUT", "/api/apps/demo/users/me/"+c.path, ann, c.body)
		assert.Equal(t, c.status, a.StatusCode, c.name+a.text)
	}
	me := l.call("GET", "/api/apps/demo/users/me", ann, "").json
	assert.Equal(t, "ann@example.com", me["emailAddress"])
	assert.Equal(t, "+819012345678", me["phoneNumber"])
	assert.Equal(t, 1.0, me["a"], "the fields stay")
	assert.Equal(t, "JP", me["country"])
	l.call("PUT", "/api/apps/demo/users/me/phone-number", l.login("bob", "pw-bob"), `{"phoneNumber":"+819012345678"}`).want(t, 409, "USER_ALREADY_EXISTS")

	l.user("555-0199") // who logs in by a number that is bare means one user
	a := l.call("PUT", "/api/apps/demo/users/me/phone-number", ann, `{"phoneNumber":"555-0199"}`)
	a.want(t, 409, "USER_ALREADY_EXISTS")
	assert.Equal(t, "phoneNumber", a.str("field"))
}

func TestChangePassword(t *testing.T) {
	l := newLab(t)
	id, ann := l.user("ann")
	other, admin := l.login("ann", "pw-ann"), l.admin()
	_, bob := l.user("bob")
	inst, _ := l.install(ann)
	change := func(who, token, body string) answer {
		return l.call("PUT", "/api/apps/demo/users/"+who+"/password", token, body, "Content-Type", "application/vnd.kii.ChangePasswordRequest+json")
	}
	works := func(token string) bool { return l.call("GET", "/api/apps/demo/users/me", token, "").StatusCode == 200 }
	const good = `{"oldPassword":"pw-ann","newPassword":"pw-new"}`
	change(id, bob, good).want(t, 401, "UNAUTHORIZED")
	change("nobody", bob, good).want(t, 401, "UNAUTHORIZED")
	change("nobody", admin, good).want(t, 404, "USER_NOT_FOUND")
	change(id, ann, `{"oldPassword":"wrong","newPassword":"pw-new"}`).want(t, 401, "WRONG_PASSWORD")
	change(id, ann, `{"newPassword":"pw-new"}`).want(t, 401, "WRONG_PASSWORD")
	change(id, ann, `{"oldPassword":"pw-ann","newPassword":"abc"}`).want(t, 400, "PASSWORD_TOO_SHORT")
	change(id, ann, `{"oldPassword":"pw-ann","newPassword":"`+strings.Repeat("x", 257)+`"}`).want(t, 400, "INVALID_INPUT_DATA")
	assert.True(t, works(other), "nothing has changed")

	require.Equal(t, 204, change("me", ann, good).StatusCode)
	assert.True(t, works(ann), "who has changed it stays logged in")
	assert.False(t, works(other), "everybody else is out")
	assert.True(t, works(bob))
	l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-ann"}`).want(t, 400, "invalid_grant")
	l.login("ann", "pw-new")

	// Of two who know the password one changes it: the other one's answer says that it was late.
	answers := make(chan answer, 2)
	for range cap(answers) {
		go func() { answers <- change("me", ann, `{"oldPassword":"pw-new","newPassword":"pw-`+store.NewID()+`"}`) }()
	}
	first, second := <-answers, <-answers
	assert.ElementsMatch(t, []int{204, 401}, []int{first.StatusCode, second.StatusCode})

	require.Equal(t, 204, change(id, admin, `{"newPassword":"pw-third"}`).StatusCode)
	assert.False(t, works(ann))
	again, _ := l.install(l.login("ann", "pw-third"))
	assert.Equal(t, inst, again, "push goes on")
	assert.NotContains(t, l.log.String(), "pw-")
}

func TestDeleteUser(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		name string
		by   func(ann string) string
	}{{"the user", func(ann string) string { return ann }}, {"an administrator", func(string) string { return l.admin() }}} {
		t.Run(c.name, func(t *testing.T) {
			l.engine.revoked = nil
			id, ann := l.user("ann")
			other := l.login("ann", "pw-ann")
			_, bob := l.user("bob")
			inst, _ := l.install(ann)
			l.install(bob)
			l.call("DELETE", "/api/apps/demo/users/"+id, bob, "").want(t, 401, "UNAUTHORIZED")
			l.call("DELETE", "/api/apps/demo/users/nobody", bob, "").want(t, 401, "UNAUTHORIZED")
			l.engine.fail = errors.New("broker is away")
			require.Equal(t, 204, l.call("DELETE", "/api/apps/demo/users/"+id, c.by(ann), "").StatusCode)
			l.engine.fail = nil
			require.Len(t, l.engine.revoked, 1)
			assert.Equal(t, inst, l.engine.revoked[0].ID)
			assert.NotEmpty(t, l.engine.revoked[0].Topic)
			assert.Contains(t, l.log.String(), "broker is away")
			for _, token := range []string{ann, other} {
				l.call("GET", "/api/apps/demo/users/me", token, "").want(t, 401, "UNAUTHORIZED")
			}
			l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-ann"}`).want(t, 400, "invalid_grant")
			l.call("GET", "/api/apps/demo/users/"+id, bob, "").want(t, 404, "USER_NOT_FOUND")
			l.call("DELETE", "/api/apps/demo/users/"+id, l.admin(), "").want(t, 404, "USER_NOT_FOUND")
			require.Equal(t, 204, l.call("DELETE", "/api/apps/demo/users/me", bob, "").StatusCode)
		})
	}
}

// deletesFirst is a store whose owners are deleted by somebody else just before they are
// installed or logged in.
type deletesFirst struct{ *store.SQL }

func (s deletesFirst) Install(ctx context.Context, i store.Installation) (store.Installation, bool, error) {
	if _, err := s.DeleteOwner(ctx, i.Owner); err != nil {
		return store.Installation{}, false, err
	}
	return s.SQL.Install(ctx, i)
}

func (s deletesFirst) PutToken(ctx context.Context, t store.Token, passwordHash string) error {
	if _, err := s.DeleteOwner(ctx, t.Owner); err != nil {
		return err
	}
	return s.SQL.PutToken(ctx, t, passwordHash)
}

func TestNothingOutlivesItsOwner(t *testing.T) {
	l := newLab(t)
	annID, ann := l.user("ann")
	thingID, thing := l.thing("v")
	l.user("bob")
	l.thing("w")
	l.api.Store = deletesFirst{l.store}
	const install = `{"deviceType":"MQTT"}`
	l.call("POST", "/api/apps/demo/installations", ann, install).want(t, 404, "USER_NOT_FOUND")
	l.call("POST", "/api/apps/demo/installations", thing, install).want(t, 404, "THING_NOT_FOUND")
	for _, o := range []store.Owner{{AppID: "demo", Kind: store.OwnerUser, ID: annID}, {AppID: "demo", Kind: store.OwnerThing, ID: thingID}} {
		left, err := l.store.InstallationsOf(context.Background(), o)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
	assert.Len(t, l.engine.revoked, 2)
	l.call("POST", "/api/oauth2/token", "", `{"username":"bob","password":"pw-bob"}`).want(t, 400, "invalid_grant")
	l.call("POST", "/api/oauth2/token", "", `{"username":"VENDOR_THING_ID:w","password":"pw-w"}`).want(t, 400, "invalid_grant")
}
