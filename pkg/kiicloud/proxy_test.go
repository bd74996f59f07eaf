package kiicloud

import (
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/rest"
)

// As docs/operating.md says: the cloud speaks HTTP on this machine alone, and a proxy in front of it TLS with everybody.
func TestBehindAProxyForTLS(t *testing.T) {
	var pass http.Handler
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pass.ServeHTTP(w, r) }))
	t.Cleanup(proxy.Close)
	front, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(front.Port())
	require.NoError(t, err)
	here, err := rest.ParseProxy("127.0.0.1")
	require.NoError(t, err)

	var log syncbuf.Buffer
	r := start(t, t.TempDir(), func(c *Config) {
		c.HTTPS, c.MQTT, c.MQTTS = "", "", ""
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Host, c.EnginePorts, c.TrustProxies = "push.example", rabbitmq.Ports{WSS: port}, rest.Proxies{here}
	}).Ready()
	assert.Equal(t, [4]int{0, 0, 0, port}, [4]int{r.PortTCP, r.PortSSL, r.PortWS, r.PortWSS})
	behind, err := url.Parse(r.HTTP)
	require.NoError(t, err)
	pass = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(behind)
		p.Out.Host = p.In.Host
		p.SetXForwarded()
	}}

	r.API, r.CA = proxy.URL+"/api", filepath.Join(t.TempDir(), "proxy.pem")
	require.NoError(t, os.WriteFile(r.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}), 0o600))
	p := newcomer(t, r, "alice")
	assert.Equal(t, "push.example", p.end["host"])
	assert.EqualValues(t, port, p.end["portWSS"])
	assert.EqualValues(t, 0, p.end["portWS"], "where nobody but the proxy connects")

	c := p.greet(guardtest.DialWS(t, mqtt.V5, "wss://"+p.port("portWSS")+"/mqtt", p.client.Transport.(*http.Transport).TLSClientConfig), mqtt.V5)
	p.push("through the proxy")
	assert.Equal(t, "through the proxy", received(t, c))

	own := "push.example:" + front.Port()
	for origin, want := range map[string]int{"https://" + own: http.StatusNoContent, "https://evil.example": http.StatusForbidden} {
		req, err := http.NewRequest("OPTIONS", r.API+"/apps/demo/users", nil)
		require.NoError(t, err)
		req.Host = own
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "POST")
		res, err := p.client.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, want, res.StatusCode, origin)
	}
	assert.NotContains(t, log.String(), "no port with TLS")
	res, err := p.client.Get(proxy.URL + "/metrics")
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, http.StatusForbidden, res.StatusCode, "they are for this machine's programs, which the proxy asks for nobody")
}

// Endpoints that no client elsewhere would use are no surprise.
func TestEndpointsWithoutTLSAreSaid(t *testing.T) {
	for host, said := range map[string]bool{"push.example": true, "": false} {
		var log syncbuf.Buffer
		start(t, t.TempDir(), func(c *Config) {
			c.HTTPS, c.MQTTS, c.Host = "", "", host
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		assert.Equal(t, said, strings.Contains(log.String(), "-engine-ports wss=443"), "%q: %s", host, log.String())
	}
}
