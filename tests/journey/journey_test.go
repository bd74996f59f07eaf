package journey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

var transports = []kiiweb.Transport{kiiweb.TransportSSL, kiiweb.TransportWSS, kiiweb.TransportWS, kiiweb.TransportTCP}

// The whole journey over each of the endpoint's ports, with one end of the cloud in
// the middle: clean, and as in a power cut.
func TestJourney(t *testing.T) {
	for name, end := range map[string]func(*cloud.Cloud){"stopped": (*cloud.Cloud).Stop, "killed": (*cloud.Cloud).Kill} {
		t.Run(name, func(t *testing.T) {
			c := cloud.Start(t)
			var travellers []*traveller
			var conns []*kiiweb.Connection
			var insts []kiiweb.Installation
			for _, transport := range transports {
				tr := newTraveller(t, c)
				inst, endpoint := tr.install()
				assert.Greater(t, endpoint.TTL, time.Duration(0))
				tr.send(1, 3) // the queue exists from the install on
				conn := tr.connect(endpoint, transport)
				tr.send(4, 20)
				tr.receives(20)
				travellers, conns, insts = append(travellers, tr), append(conns, conn), append(insts, inst)
			}

			end(c)
			for i, tr := range travellers {
				tr.becomes(conns[i], kiiweb.StateWaiting)
			}
			c.Restart()
			for _, tr := range travellers {
				tr.send(21, 30)
			}
			for i, tr := range travellers {
				tr.becomes(conns[i], kiiweb.StateOnline)
				tr.receives(30)
				tr.send(31, 40)
				tr.receives(40)
			}

			for i, tr := range travellers {
				require.NoError(t, tr.client.Uninstall(tr.ctx, insts[i].InstallationRegistrationID, "MQTT"))
				ch := tr.ends(conns[i])
				assert.Equal(t, kiiweb.StateClosed, ch.State)
				assert.Equal(t, kiiweb.CodeRevoked, ch.Code)
				_, err := tr.client.MQTTEndpoint(tr.ctx, insts[i].InstallationID)
				assert.Equal(t, kiiweb.CodeNotFound, kiiweb.CodeOf(err))
				tr.receives(40)
			}
		})
	}
}

// The API over TLS with the cloud's own CA, and the default transport.
func TestEverythingOverTLS(t *testing.T) {
	c := cloud.Start(t)
	c.Ready.API = c.Ready.HTTPS + "/api"
	tr := newTraveller(t, c)
	_, endpoint := tr.install()
	tr.connect(endpoint, "")
	tr.send(1, 1)
	tr.receives(1)

	distrustful, err := kiiweb.New(kiiweb.Config{AppID: c.Ready.AppID, AppKey: c.Ready.AppKey, BaseURL: c.Ready.API})
	require.NoError(t, err)
	_, err = distrustful.Login(tr.ctx, tr.name, password)
	assert.Equal(t, kiiweb.CodeNetwork, kiiweb.CodeOf(err), "a CA that was not given is not trusted")
}

func TestPushesWaitWhileAway(t *testing.T) {
	c := cloud.Start(t)
	tr := newTraveller(t, c)
	_, endpoint := tr.install()
	conn := tr.connect(endpoint, kiiweb.TransportSSL)
	tr.send(1, 2)
	tr.receives(2)
	require.NoError(t, conn.Close(context.Background()))
	tr.send(3, 50)
	tr.connect(endpoint, kiiweb.TransportWSS)
	tr.receives(50)
}

func TestSecondClientDisplacesTheFirst(t *testing.T) {
	c := cloud.Start(t)
	first := newTraveller(t, c)
	inst, endpoint := first.install()
	one := first.connect(endpoint, kiiweb.TransportSSL)
	first.send(1, 1)
	first.receives(1)

	second := first.twin(c)
	sameInst, otherEndpoint := second.install()
	assert.Equal(t, inst, sameInst, "one user, one installation")
	two := second.connect(otherEndpoint, kiiweb.TransportWSS)
	ch := first.becomes(one, kiiweb.StateDisplaced)
	assert.Equal(t, kiiweb.CodeDisplaced, ch.Code)
	assert.NotEmpty(t, ch.Err.Remedy)

	second.send(1, 5)
	second.receives(5)
	first.receives(1)
	assert.Equal(t, kiiweb.StateOnline, two.State().State)
	assert.Equal(t, kiiweb.StateDisplaced, one.State().State, "no fighting")

	require.NoError(t, one.TakeBack())
	first.becomes(one, kiiweb.StateOnline)
	second.becomes(two, kiiweb.StateDisplaced)
	first.send(2, 4)
	first.receives(4)
	second.receives(5)
}

// Another program of the user removes the installation: the broker tells.
func TestUninstallElsewhere(t *testing.T) {
	c := cloud.Start(t)
	for _, transport := range transports {
		t.Run(string(transport), func(t *testing.T) {
			tr := newTraveller(t, c)
			inst, endpoint := tr.install()
			conn := tr.connect(endpoint, transport)
			require.NoError(t, tr.twin(c).client.UninstallByInstallationID(tr.ctx, inst.InstallationID))
			ch := tr.ends(conn)
			assert.Equal(t, kiiweb.StateClosed, ch.State)
			assert.Equal(t, kiiweb.CodeRevoked, ch.Code)

			_, err := tr.client.Connect(tr.ctx, endpoint, kiiweb.ConnectOptions{Transport: transport})
			assert.Equal(t, kiiweb.CodeRevoked, kiiweb.CodeOf(err), "the old endpoint leads nowhere, at once: %v", err)
		})
	}
}

func TestEndpointThatIsNotReady(t *testing.T) {
	t.Run("at first", func(t *testing.T) {
		tr := newTraveller(t, cloud.Start(t, "-endpoint-delay", "1500ms"))
		_, endpoint := tr.install()
		tr.connect(endpoint, kiiweb.TransportTCP)
	})
	t.Run("for long", func(t *testing.T) {
		c := cloud.Start(t, "-endpoint-delay", "1h")
		asked := endpointRequests(t, c)
		tr := newTraveller(t, c)
		inst, err := tr.client.InstallMQTT(tr.ctx, true)
		require.NoError(t, err)
		_, err = tr.client.MQTTEndpoint(tr.ctx, inst.InstallationID)
		assert.Equal(t, kiiweb.CodeEndpointNotReady, kiiweb.CodeOf(err))
		times := asked()
		require.Len(t, times, 3)
		for i := range times[1:] {
			assert.GreaterOrEqual(t, times[i+1].Sub(times[i]), time.Second, "they are a second apart")
		}
	})
}

// endpointRequests has clients of c come through a proxy, which notes when they ask for an endpoint.
func endpointRequests(t *testing.T, c *cloud.Cloud) func() []time.Time {
	to, err := url.Parse(c.Ready.HTTP)
	require.NoError(t, err)
	var mu sync.Mutex
	var asked []time.Time
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/mqtt-endpoint") {
			mu.Lock()
			asked = append(asked, time.Now())
			mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.Ready.API = server.URL + "/api"
	return func() []time.Time {
		mu.Lock()
		defer mu.Unlock()
		return asked
	}
}

// The password lapses again and again; the connection fetches new ones and loses nothing.
func TestEndpointThatLapses(t *testing.T) {
	c := cloud.Start(t, "-mqtt-ttl", "3s")
	tr := newTraveller(t, c)
	_, endpoint := tr.install()
	assert.Equal(t, 3*time.Second, endpoint.TTL)
	conn := tr.connect(endpoint, kiiweb.TransportSSL)
	online := func() (times int) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		for _, ch := range tr.changes {
			if ch.State == kiiweb.StateOnline {
				times++
			}
		}
		return times
	}
	sent := 0
	for end := time.Now().Add(soon); online() < 4; { // once by connect, and three times by itself
		require.True(t, time.Now().Before(end), "it was online %d times", online())
		sent++
		tr.send(sent, sent)
		tr.receives(sent)
	}
	tr.becomes(conn, kiiweb.StateOnline)
}

func TestRefusals(t *testing.T) {
	c := cloud.Start(t)
	tr := newTraveller(t, c)
	inst, endpoint := tr.install()
	other := newTraveller(t, c)

	_, wrongPassword := other.client.Login(tr.ctx, tr.name, "not the password")
	_, taken := other.client.Register(tr.ctx, tr.name, password)
	_, badToken := stranger(t, c).client.UseToken(tr.ctx, "no-such-token", kiiweb.Owner{})
	_, foreign := other.client.MQTTEndpoint(tr.ctx, inst.InstallationID)
	_, odd := tr.client.MQTTEndpoint(tr.ctx, `a/../%2F?#\ `+"\u65e5")
	foreignUninstall := other.client.Uninstall(tr.ctx, inst.InstallationRegistrationID, "MQTT")
	endpoint.Password = "wrong"
	stale := endpoint
	stale.InstallationID = ""
	_, badPassword := tr.client.Connect(tr.ctx, stale, kiiweb.ConnectOptions{Transport: kiiweb.TransportTCP})
	stale.MQTTTopic = "somebody-elses"
	_, badTopic := tr.client.Connect(tr.ctx, stale, kiiweb.ConnectOptions{Transport: kiiweb.TransportTCP})
	for _, x := range []struct {
		name string
		err  error
		code kiiweb.Code
	}{
		{"wrong password", wrongPassword, kiiweb.CodeBadCredentials},
		{"login name is taken", taken, kiiweb.CodeConflict},
		{"unknown token", badToken, kiiweb.CodeUnauthorized},
		{"somebody else's endpoint", foreign, kiiweb.CodeUnauthorized},
		{"an id full of what URLs are made of", odd, kiiweb.CodeNotFound},
		{"somebody else's uninstall", foreignUninstall, kiiweb.CodeUnauthorized},
		{"wrong MQTT password, nowhere to get another", badPassword, kiiweb.CodeBadCredentials},
		{"somebody else's topic", badTopic, kiiweb.CodeBadCredentials},
	} {
		t.Run(x.name, func(t *testing.T) { assert.Equal(t, x.code, kiiweb.CodeOf(x.err), "%v", x.err) })
	}

	t.Run("wrong MQTT password, and another is fetched", func(t *testing.T) {
		conn := tr.connect(endpoint, kiiweb.TransportTCP)
		assert.Equal(t, kiiweb.StateOnline, conn.State().State)
	})
}
