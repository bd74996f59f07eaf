//go:build !js

package kiiweb

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogin(t *testing.T) {
	for _, c := range []struct {
		name, username, body string
		want                 Login
	}{
		{"user", "kate", `{"id":"u1","access_token":"t1","token_type":"Bearer","expires_in":3600}`,
			Login{Owner{OwnerUser, "u1"}, "t1", noon.Add(time.Hour)}},
		{"mail address", "EMAIL:kate@example.com", `{"id":"u1","access_token":"t1","expires_in":0}`,
			Login{Owner{OwnerUser, "u1"}, "t1", noon}},
		{"thing, no expiry", "VENDOR_THING_ID:v-1", `{"id":"th.1","access_token":"t2"}`,
			Login{Owner{OwnerThing, "th.1"}, "t2", time.Time{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, reply{status: 200, body: c.body})
			client := s.stranger()
			login, err := client.Login(context.Background(), c.username, "p\"w\u65e5")
			require.NoError(t, err)
			assert.Equal(t, c.want, login)
			current, ok := client.Current()
			assert.True(t, ok)
			assert.Equal(t, login, current)

			r := s.seen()[0]
			assert.Equal(t, "POST /api/oauth2/token", r.method+" "+r.uri)
			assert.Equal(t, "application/json", r.header.Get("Content-Type"))
			assert.Empty(t, r.header.Values("Authorization"))
			assert.JSONEq(t, `{"username":"`+c.username+`","password":"p\"w\u65e5"}`, r.body)
		})
	}
}

// A lifetime that no Duration holds must not come out as the past.
func TestLoginForEver(t *testing.T) {
	s := serve(t, reply{status: 200, body: `{"id":"u1","access_token":"t1","expires_in":1e300}`})
	login, err := s.stranger().Login(context.Background(), "u", "p")
	require.NoError(t, err)
	assert.True(t, login.ExpiresAt.After(noon.AddDate(200, 0, 0)), login.ExpiresAt)
}

func TestLoginRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply reply
		code  Code
		says  string
	}{
		{"wrong password", reply{status: 400, body: `{"errorCode":"invalid_grant","error":"invalid_grant","error_description":"no such user"}`},
			CodeBadCredentials, "no such user"},
		{"upper case", reply{status: 400, body: `{"errorCode":"INVALID_GRANT"}`}, CodeBadCredentials, "login failed"},
		{"plain OAuth", reply{status: 400, body: `{"error":"invalid_grant"}`}, CodeBadCredentials, "invalid_grant"},
		{"bad input", reply{status: 400, body: `{"errorCode":"INVALID_INPUT_DATA"}`}, CodeInvalidArgument, "400"},
		{"wrong app key", reply{status: 401, body: `{"errorCode":"WRONG_APP"}`}, CodeUnauthorized, "401"},
		{"no id", reply{status: 200, body: `{"access_token":"t"}`}, CodeBadResponse, "field id "},
		{"no token", reply{status: 200, body: `{"id":"u"}`}, CodeBadResponse, "access_token"},
		{"token breaks a header", reply{status: 200, body: `{"id":"u","access_token":"a\nb"}`}, CodeBadResponse, "access_token"},
		{"expiry is text", reply{status: 200, body: `{"id":"u","access_token":"t","expires_in":"1"}`}, CodeBadResponse, "expires_in"},
		{"expiry is null", reply{status: 200, body: `{"id":"u","access_token":"t","expires_in":null}`}, CodeBadResponse, "expires_in"},
		{"negative expiry", reply{status: 200, body: `{"id":"u","access_token":"t","expires_in":-1}`}, CodeBadResponse, "expires_in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := serve(t, c.reply).client()
			_, err := client.Login(context.Background(), "u", "secret-password")
			e := fails(t, err, c.code, c.says)
			assert.NotContains(t, err.Error(), "secret-password")
			if c.code == CodeBadCredentials {
				assert.Contains(t, e.Remedy, "user name and password")
				assert.NotContains(t, e.Remedy, "endpoint")
			}
			current, ok := client.Current()
			assert.True(t, ok, "the login before stays")
			assert.Equal(t, "tok-1", current.Token)
		})
	}
}

func TestRegister(t *testing.T) {
	s := serve(t, reply{status: 201, body: `{"userID":"u9","loginName":"kate"}`},
		reply{status: 200, body: `{"id":"u9","access_token":"t9"}`})
	login, err := s.client().Register(context.Background(), "kate", "secret")
	require.NoError(t, err)
	assert.Equal(t, Owner{OwnerUser, "u9"}, login.Owner)
	r := s.seen()[0]
	assert.Equal(t, "POST /api/apps/app-1/users", r.method+" "+r.uri)
	assert.Equal(t, "application/vnd.kii.RegistrationRequest+json", r.header.Get("Content-Type"))
	assert.Empty(t, r.header.Values("Authorization"), "no Authorization, even of the login before")
	assert.JSONEq(t, `{"loginName":"kate","password":"secret"}`, r.body)
	assert.Equal(t, "/api/oauth2/token", s.seen()[1].uri)
}

func TestRegisterTakenName(t *testing.T) {
	_, err := serve(t, reply{status: 409, body: `{"errorCode":"USER_ALREADY_EXISTS"}`}).stranger().
		Register(context.Background(), "kate", "secret")
	fails(t, err, CodeConflict, "register failed")
}

func TestUseToken(t *testing.T) {
	ctx := context.Background()
	t.Run("with the id nothing is asked", func(t *testing.T) {
		login, err := serve(t).stranger().UseToken(ctx, "t", Owner{Kind: OwnerThing, ID: "th.1"})
		require.NoError(t, err)
		assert.Equal(t, Login{Owner: Owner{OwnerThing, "th.1"}, Token: "t"}, login)
	})
	t.Run("without the id the server is asked", func(t *testing.T) {
		s := serve(t, reply{status: 200, body: `{"userID":"u7","loginName":"x"}`})
		login, err := s.stranger().UseToken(ctx, "t7", Owner{})
		require.NoError(t, err)
		assert.Equal(t, Owner{OwnerUser, "u7"}, login.Owner)
		assert.Equal(t, "GET /api/apps/app-1/users/me", s.seen()[0].method+" "+s.seen()[0].uri)
		assert.Equal(t, "Bearer t7", s.seen()[0].header.Get("Authorization"))
	})
	t.Run("a bad token leaves the login before", func(t *testing.T) {
		c := serve(t, reply{status: 401, body: `{"errorCode":"UNAUTHORIZED"}`}).client()
		_, err := c.UseToken(ctx, "t8", Owner{})
		fails(t, err, CodeUnauthorized, "401")
		current, _ := c.Current()
		assert.Equal(t, "tok-1", current.Token)
	})
}

func TestLogout(t *testing.T) {
	c := serve(t).client()
	c.Logout()
	_, ok := c.Current()
	assert.False(t, ok)
	c.Logout()
}
