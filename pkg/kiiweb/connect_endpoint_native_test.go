//go:build !js

package kiiweb

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// freshEndpoint is the API's answer that leads to b with another password.
func freshEndpoint(b *broker, password string) reply {
	return reply{status: 200, body: strings.NewReplacer(
		`"pw"`, strconv.Quote(password), `"localhost"`, `"127.0.0.1"`, `1883`, strconv.Itoa(b.endpoint().PortTCP),
	).Replace(endpointBody)}
}

func TestRefusedCredentialsAreFetchedAgain(t *testing.T) {
	b := startBroker(t)
	b.connack = func(_ int, c *mqtt.Connect) mqtt.ReasonCode {
		if string(c.Password) == "pw" {
			return mqtt.BadUserNameOrPassword
		}
		return mqtt.Success
	}
	s := serve(t, freshEndpoint(b, "pw-2"))
	connect(t, s.client(), b.endpoint(), ConnectOptions{})
	assert.Equal(t, "pw-2", string(b.next().connect.Password))
	assert.Equal(t, "/api/apps/app-1/installations/inst-1/mqtt-endpoint", s.seen()[0].uri)
}

func TestCredentialsThatStayRefused(t *testing.T) {
	b := startBroker(t)
	b.connack = func(int, *mqtt.Connect) mqtt.ReasonCode { return mqtt.BadUserNameOrPassword }
	s := serve(t, freshEndpoint(b, "pw-2"), freshEndpoint(b, "pw-3"))
	_, err := s.client().Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
	e := fails(t, err, CodeBadCredentials, "")
	assert.Contains(t, e.Remedy, "getMqttEndpoint")
	assert.NotContains(t, e.Remedy, "user name and password")
	assert.Equal(t, 3, b.seen(mqtt.CONNECT))
}

func TestNotAuthorizedAsksForTheEndpointOnce(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   func(b *broker) reply
		code     Code
		connects int
	}{
		{"installation gone", func(*broker) reply {
			return reply{status: 404, body: `{"errorCode":"INSTALLATION_NOT_FOUND"}`}
		}, CodeRevoked, 1},
		{"token refused", func(*broker) reply { return reply{status: 401, body: `{"errorCode":"UNAUTHORIZED"}`} }, CodeUnauthorized, 1},
		{"a fresh endpoint, refused again", func(b *broker) reply { return freshEndpoint(b, "pw-2") }, CodeUnauthorized, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			b.connack = func(int, *mqtt.Connect) mqtt.ReasonCode { return mqtt.NotAuthorized }
			s := serve(t, c.answer(b))
			_, err := s.client().Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
			fails(t, err, c.code, "")
			assert.Equal(t, c.connects, b.seen(mqtt.CONNECT))
			assert.Len(t, s.seen(), 1)
		})
	}
}

func TestARefusedSubscriptionAsksForTheEndpoint(t *testing.T) {
	gone := func(*broker) reply { return reply{status: 404, body: `{"errorCode":"INSTALLATION_NOT_FOUND"}`} }
	fresh := func(b *broker) reply { return freshEndpoint(b, "pw-2") }
	for _, c := range []struct {
		name       string
		granted    int // the first SUBSCRIBE that is granted; 0: none
		replies    []func(b *broker) reply
		code       Code // "" for none
		retryable  bool
		subscribes int
	}{
		{"what was missing is made again", 2, []func(*broker) reply{fresh}, "", false, 2},
		{"it stays refused", 0, []func(*broker) reply{fresh, fresh}, CodeUnauthorized, true, 3},
		{"installation gone", 0, []func(*broker) reply{gone}, CodeRevoked, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			b.suback = func(n int, _ *mqtt.Subscribe) mqtt.ReasonCode {
				if n == c.granted {
					return mqtt.GrantedQoS1
				}
				return mqtt.NotAuthorized
			}
			var replies []reply
			for _, make := range c.replies {
				replies = append(replies, make(b))
			}
			client := serve(t, replies...).client()
			if c.code == "" {
				connect(t, client, b.endpoint(), ConnectOptions{})
			} else {
				_, err := client.Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
				e := fails(t, err, c.code, "")
				assert.Equal(t, c.retryable, e.Retryable)
			}
			assert.Equal(t, c.subscribes, b.seen(mqtt.SUBSCRIBE))
		})
	}
}

func TestLapsedEndpointIsFetchedFirst(t *testing.T) {
	b := startBroker(t)
	old := b.endpoint()
	old.TTL, old.FetchedAt = time.Hour, time.Now().Add(-2*time.Hour)
	c := serve(t, freshEndpoint(b, "pw-2")).client()
	c.now = time.Now
	connect(t, c, old, ConnectOptions{})
	assert.Equal(t, "pw-2", string(b.next().connect.Password))
	assert.Equal(t, 1, b.seen(mqtt.CONNECT), "the old password was not tried")
}

func TestEndpointIsRenewedForItsOwnerAlone(t *testing.T) {
	refuse := func(int, *mqtt.Connect) mqtt.ReasonCode { return mqtt.BadUserNameOrPassword }
	for _, c := range []struct {
		name  string
		login func(c *Client) // while the connection is being opened
		code  Code
	}{
		{"logged out", func(c *Client) { c.Logout() }, CodeNotLoggedIn},
		{"somebody else", func(c *Client) { c.setLogin(&Login{Owner: Owner{OwnerUser, "u2"}, Token: "tok-2"}) }, CodeNotLoggedIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			client := serve(t).client()
			b.connack = func(n int, p *mqtt.Connect) mqtt.ReasonCode { c.login(client); return refuse(n, p) }
			_, err := client.Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
			fails(t, err, c.code, "")
		})
	}
	t.Run("no installationID", func(t *testing.T) {
		b := startBroker(t)
		b.connack = refuse
		e := b.endpoint()
		e.InstallationID = ""
		_, err := serve(t).client().Connect(context.Background(), e, ConnectOptions{Transport: TransportTCP})
		fails(t, err, CodeBadCredentials, "installationID")
	})
	t.Run("no installationID, and a refused subscription", func(t *testing.T) {
		b := startBroker(t)
		b.suback = func(int, *mqtt.Subscribe) mqtt.ReasonCode { return mqtt.NotAuthorized }
		e := b.endpoint()
		e.InstallationID = ""
		_, err := serve(t).client().Connect(context.Background(), e, ConnectOptions{Transport: TransportTCP})
		fails(t, err, CodeBadCredentials, "the broker refused the subscription: Not authorized")
	})
	t.Run("installation gone", func(t *testing.T) {
		b := startBroker(t)
		b.connack = refuse
		s := serve(t, reply{status: 404, body: `{"errorCode":"INSTALLATION_NOT_FOUND"}`})
		_, err := s.client().Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
		fails(t, err, CodeRevoked, "")
	})
	t.Run("a page of some other server", func(t *testing.T) {
		b := startBroker(t)
		b.connack = func(n int, _ *mqtt.Connect) mqtt.ReasonCode {
			if n == 1 {
				return mqtt.BadUserNameOrPassword
			}
			return mqtt.Success
		}
		s := serve(t, reply{status: 404, body: "<html>no such page</html>"}, freshEndpoint(b, "pw-2"))
		connect(t, s.client(), b.endpoint(), ConnectOptions{})
		assert.Len(t, s.seen(), 2, "it was asked again")
	})
	t.Run("renewal points to plain TCP abroad", func(t *testing.T) {
		b := startBroker(t)
		b.connack = refuse
		abroad := freshEndpoint(b, "pw-2")
		abroad.body = strings.Replace(abroad.body, "127.0.0.1", "192.0.2.1", 1)
		_, err := serve(t, abroad).client().Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
		fails(t, err, CodeInsecure, "192.0.2.1")
	})
}
