//go:build !js

package kiiweb

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

var (
	refusedToken = reply{status: 401, body: `{"errorCode":"UNAUTHORIZED","message":"the token has expired"}`}
	accepted     = reply{status: 204}
)

// renewing has c ask getToken, and gives the count of that.
func renewing(c *Client, getToken func(ctx context.Context, owner Owner) (string, error)) *atomic.Int32 {
	var asked atomic.Int32
	c.config.GetToken = func(ctx context.Context, owner Owner) (string, error) {
		asked.Add(1)
		return getToken(ctx, owner)
	}
	return &asked
}

func gives(token string) func(context.Context, Owner) (string, error) {
	return func(context.Context, Owner) (string, error) { return token, nil }
}

func bearers(s *script) (tokens []string) {
	for _, r := range s.seen() {
		tokens = append(tokens, r.header.Get("Authorization"))
	}
	return tokens
}

func TestRefusedTokenIsRenewed(t *testing.T) {
	s := serve(t, refusedToken, accepted, accepted)
	c := s.client()
	var owners []Owner
	renewing(c, func(_ context.Context, owner Owner) (string, error) {
		owners = append(owners, owner)
		return "tok-2", nil
	})
	require.NoError(t, c.CreateTopic(context.Background(), Topic{Name: "news"}))
	require.NoError(t, c.DeleteTopic(context.Background(), Topic{Name: "news"}))
	assert.Equal(t, []Owner{{OwnerUser, "u1"}}, owners, "asked once, for the owner")
	assert.Equal(t, []string{"Bearer tok-1", "Bearer tok-2", "Bearer tok-2"}, bearers(s))
	login, _ := c.Current()
	assert.Equal(t, Login{Owner: Owner{OwnerUser, "u1"}, Token: "tok-2"}, login)
}

// The whole call is made again, its body as well.
func TestRenewedTokenSendsThePushOnce(t *testing.T) {
	s := serve(t, refusedToken, reply{status: 201, body: `{"pushMessageID":"p1"}`})
	c := s.client()
	renewing(c, gives("tok-2"))
	id, err := c.SendToMe(context.Background(), PushMessage{Data: map[string]any{"text": "hello"}})
	require.NoError(t, err)
	assert.Equal(t, "p1", id)
	assert.Equal(t, s.seen()[0].body, s.seen()[1].body)
}

func TestTokenThatCannotBeRenewed(t *testing.T) {
	failure := errors.New("no network")
	for name, k := range map[string]struct {
		getToken  func(context.Context, Owner) (string, error)
		replies   []reply
		code      Code
		says      string
		retryable bool
	}{
		"no token":       {gives(""), []reply{refusedToken}, CodeUnauthorized, "the token has expired", false},
		"the same token": {gives("tok-1"), []reply{refusedToken}, CodeUnauthorized, "the token has expired", false},
		"a token that is refused as well": {gives("tok-2"), []reply{refusedToken, {status: 401, body: `{"message":"once more"}`}},
			CodeUnauthorized, "once more", false},
		"a token that breaks a header": {gives("a\nb"), []reply{refusedToken}, CodeInvalidArgument, "getToken", false},
		"an error": {func(context.Context, Owner) (string, error) { return "", failure }, []reply{refusedToken},
			CodeUnauthorized, "save topic failed: the token is good no more, and getToken failed: no network", true},
		"an error of this package": {func(context.Context, Owner) (string, error) {
			return "", &Error{Code: CodeNetwork, Message: "down", Remedy: "wait"}
		},
			[]reply{refusedToken}, CodeNetwork, "down", false},
		"a panic": {func(context.Context, Owner) (string, error) { panic("oh") }, []reply{refusedToken}, "CRASHED", "getToken panicked: oh", true},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, k.replies...).client()
			asked := renewing(c, k.getToken)
			e := fails(t, c.CreateTopic(context.Background(), Topic{Name: "news"}), k.code, k.says)
			assert.Equal(t, k.retryable, e.Retryable)
			assert.EqualValues(t, 1, asked.Load())
			if name == "an error" {
				assert.ErrorIs(t, e, failure)
			}
		})
	}
}

// What is not about the token in force is none of GetToken's business.
func TestTokensThatAreNotRenewed(t *testing.T) {
	ctx := context.Background()
	for name, k := range map[string]struct {
		reply reply
		call  func(c *Client) error
	}{
		"a token that is being tried": {refusedToken, func(c *Client) error { _, err := c.UseToken(ctx, "tok-9", Owner{}); return err }},
		"a wrong app at login":        {refusedToken, func(c *Client) error { _, err := c.Login(ctx, "u", "p"); return err }},
		"forbidden":                   {reply{status: 403}, func(c *Client) error { return c.CreateTopic(ctx, Topic{Name: "news"}) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, k.reply).client()
			asked := renewing(c, gives("tok-2"))
			require.Error(t, k.call(c))
			assert.Zero(t, asked.Load())
		})
	}
}

// tokens is a server that takes one token, and counts what it refuses.
type tokens struct {
	good    atomic.Value
	refused atomic.Int32
	all     chan struct{} // closed when as many were refused as are wanted
}

func (s *tokens) serve(t *testing.T, calls int32) *Client {
	s.all = make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.good.Load().(string) {
			if s.refused.Add(1) == calls {
				close(s.all)
			}
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(func() { server.Close(); http.DefaultClient.CloseIdleConnections() })
	c, err := New(Config{AppID: "a", AppKey: "k", BaseURL: server.URL})
	require.NoError(t, err)
	_, err = c.UseToken(context.Background(), "tok-1", Owner{ID: "u1"})
	require.NoError(t, err)
	return c
}

func TestConcurrentCallsShareOneRenewal(t *testing.T) {
	const calls = 20
	var s tokens
	s.good.Store("tok-2")
	c := s.serve(t, calls)
	asked := renewing(c, func(context.Context, Owner) (string, error) {
		<-s.all // every call has been refused
		return "tok-2", nil
	})
	var all sync.WaitGroup
	for range calls {
		all.Go(func() { assert.NoError(t, c.CreateTopic(context.Background(), Topic{Name: "news"})) })
	}
	all.Wait()
	assert.EqualValues(t, 1, asked.Load())
}

// A caller that goes away leaves the token to the others.
func TestRenewalOutlivesItsFirstCaller(t *testing.T) {
	var s tokens
	s.good.Store("tok-2")
	c := s.serve(t, 2)
	entered, release := make(chan struct{}), make(chan struct{})
	asked := renewing(c, func(ctx context.Context, _ Owner) (string, error) {
		close(entered)
		<-release
		return "tok-2", ctx.Err()
	})
	ctx, cancel := context.WithCancel(context.Background())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- c.CreateTopic(ctx, Topic{Name: "news"}) }()
	<-entered
	go func() { second <- c.CreateTopic(context.Background(), Topic{Name: "news"}) }()
	<-s.all
	cancel()
	fails(t, <-first, CodeAborted, "cancelled")
	close(release)
	require.NoError(t, <-second)
	assert.EqualValues(t, 1, asked.Load())
}

// A call of one owner never goes out with the token of another.
func TestRenewalIsForTheOwnerAlone(t *testing.T) {
	for name, meanwhile := range map[string]func(c *Client){
		"logout":         func(c *Client) { c.Logout() },
		"somebody else":  func(c *Client) { _, _ = c.UseToken(context.Background(), "tok-9", Owner{ID: "u9"}) },
		"the same owner": func(c *Client) { _, _ = c.UseToken(context.Background(), "tok-3", Owner{ID: "u1"}) },
	} {
		t.Run(name, func(t *testing.T) {
			replies := []reply{refusedToken}
			if name == "the same owner" {
				replies = append(replies, accepted)
			}
			s := serve(t, replies...)
			c := s.client()
			renewing(c, func(context.Context, Owner) (string, error) {
				meanwhile(c)
				return "tok-2", nil
			})
			err := c.CreateTopic(context.Background(), Topic{Name: "news"})
			login, _ := c.Current()
			assert.NotEqual(t, "tok-2", login.Token, "the login that came meanwhile stays")
			if name == "the same owner" {
				require.NoError(t, err)
				assert.Equal(t, "Bearer tok-3", s.seen()[1].header.Get("Authorization"))
			} else {
				fails(t, err, CodeUnauthorized, "the token has expired")
			}
		})
	}
}

// A connection that needs a new endpoint needs a good token for it.
func TestEndpointIsFetchedWithARenewedToken(t *testing.T) {
	b := startBroker(t)
	b.connack = func(_ int, c *mqtt.Connect) mqtt.ReasonCode {
		if string(c.Password) != "new" {
			return mqtt.BadUserNameOrPassword
		}
		return mqtt.Success
	}
	s := serve(t, refusedToken, freshEndpoint(b, "new"))
	c := s.client()
	asked := renewing(c, gives("tok-2"))
	connect(t, c, b.endpoint(), ConnectOptions{})
	assert.Equal(t, []string{"Bearer tok-1", "Bearer tok-2"}, bearers(s))
	assert.EqualValues(t, 1, asked.Load())
}

// While no token can be had a connection waits; it ends when there will be none.
func TestConnectionWaitsForAToken(t *testing.T) {
	b := startBroker(t)
	b.connack = func(int, *mqtt.Connect) mqtt.ReasonCode { return mqtt.BadUserNameOrPassword }
	c := serve(t, refusedToken, refusedToken).client()
	var r recorder
	failures := []error{errors.New("no network"), nil}
	asked := renewing(c, func(context.Context, Owner) (string, error) {
		err := failures[0]
		failures = failures[1:]
		return "", err
	})
	_, err := c.Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP, OnState: r.add})
	e := fails(t, err, CodeUnauthorized, "the token has expired")
	assert.False(t, e.Retryable)
	assert.EqualValues(t, 2, asked.Load())
	want := []State{StateConnecting, StateWaiting, StateConnecting, StateWaiting, StateConnecting, StateFailed}
	assert.Eventually(t, func() bool { return slices.Equal(want, r.states()) }, waitLong, time.Millisecond, "%v", &r)
}
