package kiicloud

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		runChild(dir)
		return
	}
	os.Exit(pgtest.Main(m))
}

// onEachStore runs a test on a cloud with each kind of store; change makes the configuration.
func onEachStore(t *testing.T, test func(t *testing.T, change func(*Config))) {
	t.Run("SQLite", func(t *testing.T) { test(t, func(*Config) {}) })
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.Shared(t).Schema(t, "t"+strings.ToLower(store.NewID()))
		test(t, func(c *Config) { c.Store = url })
	})
}

// start runs a cloud on free ports in dir.
func start(t *testing.T, dir string, change ...func(*Config)) *Server {
	t.Helper()
	s, err := Start(context.Background(), config(dir, change...))
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, s) })
	return s
}

func config(dir string, change ...func(*Config)) Config {
	const free = "127.0.0.1:0"
	c := Config{HTTP: free, HTTPS: free, MQTT: free, MQTTS: free, DataDir: dir,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, f := range change {
		f(&c)
	}
	return c
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
}

// call sends a JSON request to the API and decodes the answer.
func call(t *testing.T, client *http.Client, method, url, token, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Kii-AppID", "demo")
	req.Header.Set("X-Kii-AppKey", "demo-key")
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	out := map[string]any{}
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	if len(b) > 0 {
		require.NoError(t, json.Unmarshal(b, &out), "%s", b)
	}
	return res.StatusCode, out
}

func newClient(t *testing.T, ca string) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(ca)
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(pem))
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}
}

func TestStartServesAllPorts(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") })
	s := start(t, t.TempDir(), func(c *Config) { c.Page = page })
	r := s.Ready()
	client := newClient(t, r.CA)

	for _, base := range []string{r.HTTP, r.HTTPS} {
		status, body := call(t, client, "POST", base+"/api/oauth2/token", "", `{"username":"nobody","password":"x"}`)
		assert.Equal(t, 400, status)
		assert.Equal(t, "invalid_grant", body["errorCode"])

		res, err := client.Get(base + "/")
		require.NoError(t, err)
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, "the page", string(b))

		res, err = client.Get(base + "/mqtt")
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, http.StatusUpgradeRequired, res.StatusCode)
	}
	assert.Equal(t, r.HTTP+"/api", r.API)
	plain, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.PortTCP)))
	require.NoError(t, err)
	plain.Close()
	secure, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.PortSSL)), client.Transport.(*http.Transport).TLSClientConfig)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, secure.ConnectionState().Version, uint16(tls.VersionTLS12))
	secure.Close()
}

func TestOldTLSIsRefused(t *testing.T) {
	r := start(t, t.TempDir()).Ready()
	for _, port := range []int{r.PortSSL, r.PortWSS} {
		for name, c := range map[string]struct {
			conf *tls.Config
			ok   bool
		}{
			"TLS 1.1":                      {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
			"TLS 1.2 with CBC":             {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
			"TLS 1.2 without key exchange": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, false},
			"TLS 1.2":                      {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
			"TLS 1.3":                      {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		} {
			c.conf.InsecureSkipVerify = true
			conn, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), c.conf)
			if assert.Equal(t, c.ok, err == nil, "%s: %v", name, err); err == nil {
				conn.Close()
			}
		}
	}
}

func TestAStoreBelongsToOneCloud(t *testing.T) {
	onEachStore(t, func(t *testing.T, change func(*Config)) {
		dir := t.TempDir()
		s := start(t, dir, change)
		_, err := Start(context.Background(), config(dir, change))
		require.ErrorIs(t, err, store.ErrLocked)
		stop(t, s)
		start(t, dir, change)
	})
}

func TestTakenPortIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	dir := t.TempDir()
	_, err = Start(context.Background(), config(dir, func(c *Config) { c.MQTT = ln.Addr().String() }))
	require.ErrorContains(t, err, "-mqtt "+ln.Addr().String())
	start(t, dir) // nothing of the failed start is left
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	r := s.Ready()
	client := newClient(t, r.CA)
	app := "/api/apps/demo"
	status, _ := call(t, client, "POST", r.HTTP+app+"/users", "", `{"loginName":"alice","password":"a long enough password"}`)
	require.Equal(t, 201, status)
	status, login := call(t, client, "POST", r.HTTP+"/api/oauth2/token", "", `{"username":"alice","password":"a long enough password"}`)
	require.Equal(t, 200, status)
	token := login["access_token"].(string)
	status, inst := call(t, client, "POST", r.HTTP+app+"/installations", token, `{"deviceType":"MQTT","development":false}`)
	require.Equal(t, 201, status)
	stop(t, s)

	again := start(t, dir).Ready()
	status, inst2 := call(t, client, "POST", again.HTTP+app+"/installations", token, `{"deviceType":"MQTT","development":false}`)
	require.Equal(t, 201, status, "%v", inst2)
	assert.Equal(t, inst["installationID"], inst2["installationID"])
	assert.Equal(t, r.ClientSecret, again.ClientSecret)
	pem, err := os.ReadFile(again.CA)
	require.NoError(t, err)
	assert.True(t, bytes.Contains(pem, []byte("BEGIN CERTIFICATE")))
}

func TestShutdownIsIdempotentAndFreesThePorts(t *testing.T) {
	s := start(t, t.TempDir())
	r := s.Ready()
	stop(t, s)
	stop(t, s)
	for _, port := range []int{r.PortTCP, r.PortSSL, r.PortWS, r.PortWSS} {
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		require.NoError(t, err)
		ln.Close()
	}
}

// Browsers open connections in advance. net/http gives each of them five seconds.
func TestShutdownDoesNotWaitForConnectionsWithoutARequest(t *testing.T) {
	s := start(t, t.TempDir())
	r := s.Ready()
	client := newClient(t, r.CA)
	for port, url := range map[int]string{r.PortWS: r.HTTP, r.PortWSS: r.HTTPS} {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		res, err := client.Get(url) // connections are accepted in their order, so the one above was, too
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
}

// A process that is to go serves on until those who ask have noticed, over connections that it has others give up.
func TestShutdownDrains(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Start(ctx, config(t.TempDir(), func(c *Config) { c.Drain = time.Hour }))
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); _ = s.Shutdown(ctx) })
	r := s.Ready()
	kept, fresh := newClient(t, r.CA), newClient(t, r.CA)
	ask := func(client *http.Client, path string) (status int, last bool) {
		res, err := client.Get(r.HTTP + path)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		require.NoError(t, res.Body.Close())
		return res.StatusCode, res.Close
	}
	status, last := ask(kept, "/readyz")
	assert.Equal(t, http.StatusOK, status)
	assert.False(t, last)

	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()
	watch := newClient(t, r.CA)
	require.Eventually(t, func() bool { status, _ := ask(watch, "/readyz"); return status == http.StatusServiceUnavailable }, time.Minute, time.Millisecond)
	for name, client := range map[string]*http.Client{"a connection from before": kept, "a new one": fresh} {
		status, last = ask(client, "/healthz")
		assert.Equal(t, http.StatusOK, status, name)
		assert.True(t, last, name)
	}
	p := newcomer(t, r, "late")
	p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)
	c := p.greet(guardtest.DialWS(t, mqtt.V5, "ws://"+p.port("portWS")+"/mqtt", nil), mqtt.V5) // which "Connection: close" does not reach
	p.push("to who came late")
	assert.Equal(t, "to who came late", received(t, c))
	select {
	case err := <-stopped:
		t.Fatal("it has stopped", err)
	default:
	}
	cancel()
	require.ErrorIs(t, <-stopped, context.Canceled)
	_, err = fresh.Get(r.HTTP)
	require.Error(t, err)
}

func TestShutdownDrainsNoLongerThanItWasTold(t *testing.T) {
	s := start(t, t.TempDir(), func(c *Config) { c.Drain = time.Millisecond })
	stop(t, s)
}
