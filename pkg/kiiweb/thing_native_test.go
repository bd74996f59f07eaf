//go:build !js

package kiiweb

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const registered = `{"_thingID":"th.1","_vendorThingID":"serial-1","_accessToken":"tok-2","_created":1}`

func TestRegisterThing(t *testing.T) {
	s := serve(t, reply{status: 201, body: registered})
	c := s.client()
	login, err := c.RegisterThing(context.Background(), "serial-1", "p\"w")
	require.NoError(t, err)
	assert.Equal(t, Login{Owner{OwnerThing, "th.1"}, "tok-2", time.Time{}}, login)
	current, ok := c.Current()
	assert.True(t, ok)
	assert.Equal(t, login, current)
	r := s.seen()[0]
	assert.Equal(t, "POST /api/apps/app-1/things", r.method+" "+r.uri)
	assert.Equal(t, "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json", r.header.Get("Content-Type"))
	assert.Empty(t, r.header.Values("Authorization"), "no Authorization, even of the login before")
	assert.JSONEq(t, `{"_vendorThingID":"serial-1","_password":"p\"w"}`, r.body)
}

func TestRegisterThingRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply reply
		code  Code
		says  string
	}{
		{"taken id", reply{status: 409, body: `{"errorCode":"THING_ALREADY_EXISTS"}`}, CodeConflict, "register thing failed"},
		{"bad input", reply{status: 400, body: `{"errorCode":"INVALID_INPUT_DATA","message":"m"}`}, CodeInvalidArgument, "m"},
		{"no id", reply{status: 201, body: `{"_accessToken":"t"}`}, CodeBadResponse, "field _thingID"},
		{"no token", reply{status: 201, body: `{"_thingID":"t"}`}, CodeBadResponse, "field _accessToken"},
		{"token breaks a header", reply{status: 201, body: `{"_thingID":"t","_accessToken":"a\nb"}`}, CodeBadResponse, "_accessToken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := serve(t, c.reply).client()
			_, err := client.RegisterThing(context.Background(), "serial-1", "secret-password")
			fails(t, err, c.code, c.says)
			assert.NotContains(t, err.Error(), "secret-password")
			current, _ := client.Current()
			assert.Equal(t, "tok-1", current.Token, "the login before stays")
		})
	}
}

func TestLoginAsThing(t *testing.T) {
	s := serve(t, reply{status: 200, body: `{"id":"th.1","access_token":"tok-2","expires_in":60}`},
		reply{status: 400, body: `{"errorCode":"invalid_grant"}`})
	c := s.stranger()
	login, err := c.LoginAsThing(context.Background(), "serial-1", "secret")
	require.NoError(t, err)
	assert.Equal(t, Login{Owner{OwnerThing, "th.1"}, "tok-2", noon.Add(time.Minute)}, login)
	r := s.seen()[0]
	assert.Equal(t, "POST /api/oauth2/token", r.method+" "+r.uri)
	assert.JSONEq(t, `{"username":"VENDOR_THING_ID:serial-1","password":"secret"}`, r.body)

	_, err = c.LoginAsThing(context.Background(), "serial-1", "wrong")
	e := fails(t, err, CodeBadCredentials, "login failed")
	assert.Contains(t, e.Remedy, "vendorThingID")
}

func TestThingArgumentsComeFirst(t *testing.T) {
	c := serve(t).stranger()
	for name, enter := range map[string]func(context.Context, string, string) (Login, error){
		"register": c.RegisterThing, "login": c.LoginAsThing,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := enter(context.Background(), "", "p")
			fails(t, err, CodeInvalidArgument, "vendorThingID must not be empty")
			_, err = enter(context.Background(), "v", "")
			fails(t, err, CodeInvalidArgument, "password must not be empty")
		})
	}
}
