//go:build !js

package kiiweb

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
)

func TestAskSendsWhatItIsGiven(t *testing.T) {
	s := serve(t, reply{status: 201, body: `{"_thingID":"th"}`}, reply{status: 204})
	c := s.client()
	a, err := c.Ask(context.Background(), Request{
		Action: "register thing", Method: "POST", Path: []string{"apps", "app-1", "things"},
		MediaType: "application/x+json", Body: []byte(`{"a":1}`),
	})
	require.NoError(t, err)
	assert.Equal(t, Answer{201, []byte(`{"_thingID":"th"}`)}, a)
	_, err = c.Ask(context.Background(), Request{
		Action: "load thing", Method: "GET", Path: []string{"things", "VENDOR_THING_ID:a/b c?", "x"},
		PaginationKey: "k+/=", Token: "tok-9",
	})
	require.NoError(t, err)

	first, second := s.seen()[0], s.seen()[1]
	assert.Equal(t, "POST /api/apps/app-1/things", first.method+" "+first.uri)
	assert.Equal(t, `{"a":1}`, first.body)
	assert.Equal(t, "application/x+json", first.header.Get("Content-Type"))
	assert.Empty(t, first.header.Get("Authorization"), "the client's own login takes no part")
	assert.Equal(t, "app-1", first.header.Get("X-Kii-AppID"))
	assert.Equal(t, "GET /api/things/VENDOR_THING_ID:a%2Fb%20c%3F/x?paginationKey=k%2B%2F%3D", second.method+" "+second.uri)
	assert.Equal(t, "Bearer tok-9", second.header.Get("Authorization"))
	assert.Empty(t, second.header.Get("Content-Type"))
}

func TestAskGivesRefusalsAsAnswers(t *testing.T) {
	for _, status := range []int{400, 401, 404, 503} {
		s := serve(t, reply{status: status, body: "<html>"})
		a, err := s.client().Ask(context.Background(), Request{Action: "x", Method: "GET", Path: []string{"a"}})
		require.NoError(t, err)
		assert.Equal(t, Answer{status, []byte("<html>")}, a)
	}
}

func TestAskRefusesWhatCannotStandInAPath(t *testing.T) {
	s := serve(t)
	for _, r := range []Request{
		{Action: "x", Method: "GET", Path: []string{"users", ".."}},
		{Action: "x", Method: "GET", Path: []string{"users", "."}},
		{Action: "x", Method: "GET", Path: []string{"users", ""}},
		{Action: "x", Method: "GET", Path: []string{"users"}, Token: "a\nb"},
		{Action: "x", Method: "GET", Path: []string{"users"}, Token: "ü"},
	} {
		_, err := s.client().Ask(context.Background(), r)
		assert.Equal(t, fault.InvalidArgument, CodeOf(err), "%v", r)
	}
	assert.Empty(t, s.seen())
}

func TestSiblingsShareNoLogin(t *testing.T) {
	s := serve(t, reply{status: 201, body: `{"installationID":"i","installationRegistrationID":"r"}`})
	c := s.client()
	sibling := c.Sibling()
	_, err := sibling.InstallMQTT(context.Background(), true)
	assert.Equal(t, fault.NotLoggedIn, CodeOf(err))
	_, err = sibling.UseToken(context.Background(), "tok-8", Owner{ID: "u8"})
	require.NoError(t, err)
	_, err = sibling.InstallMQTT(context.Background(), true)
	require.NoError(t, err)
	assert.Equal(t, "Bearer tok-8", s.seen()[0].header.Get("Authorization"))
	login, ok := c.Current()
	require.True(t, ok)
	assert.Equal(t, "u1", login.Owner.ID)
}
