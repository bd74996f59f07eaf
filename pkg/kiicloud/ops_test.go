package kiicloud

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// look reads one of the paths for operators. Header pairs, of which Host means the request's host.
func look(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(b)
}

// numbers reads the metrics, by name with labels.
func numbers(t *testing.T, s *Server) map[string]float64 {
	t.Helper()
	status, text := look(t, s.Ready().HTTP+"/metrics")
	require.Equal(t, 200, status)
	all := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			if i := strings.LastIndexByte(lines.Text(), ' '); i >= 0 { // labels may hold spaces
				name, value = lines.Text()[:i], lines.Text()[i+1:]
			}
			n, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err, lines.Text())
			all[name] = n
		}
	}
	return all
}

func TestMetricsCountWhatHappens(t *testing.T) {
	s := start(t, t.TempDir())
	p := newcomer(t, s.Ready(), "alice")
	for range 3 {
		p.push("x")
	}
	n := numbers(t, s)
	assert.EqualValues(t, 3, n["kiicloud_pushes_accepted_total"])
	assert.EqualValues(t, 3, n["kiicloud_pushes_enqueued_total"])
	assert.EqualValues(t, 3, n["kiicloud_pushes_waiting"])
	assert.EqualValues(t, 0, n["kiicloud_pushes_sent_total"])
	assert.EqualValues(t, 0, n["kiicloud_mqtt_connections"])
	assert.EqualValues(t, 3, n[`kiicloud_http_request_seconds_count{method="POST",route="/api/apps/{appID}/users/{userID}/push/messages",status="201"}`])
	assert.Positive(t, n["process_resident_memory_bytes"])
	assert.Positive(t, n["go_goroutines"])

	c := p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)
	for range 3 {
		received(t, c)
	}
	require.Eventually(t, func() bool { n = numbers(t, s); return n["kiicloud_pushes_delivered_total"] == 3 }, time.Minute, 10*time.Millisecond)
	assert.EqualValues(t, 3, n["kiicloud_pushes_sent_total"])
	assert.EqualValues(t, 3, n["kiicloud_push_send_seconds_count"])
	assert.EqualValues(t, 1, n["kiicloud_mqtt_connections"])
	assert.EqualValues(t, 1, n["kiicloud_mqtt_connects_total"])

	p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5) // takes over
	bad := guardtest.DialTCP(t, mqtt.V5, p.port("portTCP"))
	bad.Send(guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: p.end["mqttTopic"].(string), Username: "x", Password: "y"}))
	require.Equal(t, mqtt.BadUserNameOrPassword, bad.Expect(mqtt.CONNACK).Code())
	bad.ExpectClosed()
	require.Eventually(t, func() bool {
		n = numbers(t, s)
		return n[`kiicloud_mqtt_ended_total{code="0x8e"}`] == 1 && n[`kiicloud_mqtt_ended_total{code="0x86"}`] == 1
	}, time.Minute, 10*time.Millisecond)
	status, text := look(t, s.Ready().HTTP+"/metrics")
	require.Equal(t, 200, status)
	for _, secret := range []string{p.id, p.token, "alice"} {
		assert.NotContains(t, text, secret, "metrics are numbers")
	}
}

func TestMetricsAreNotForEverybody(t *testing.T) {
	s := start(t, t.TempDir(), func(c *Config) { c.MetricsToken = "a-token-for-metrics" })
	url := s.Ready().HTTP + "/metrics"
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, 200},
		{[]string{"X-Forwarded-For", "127.0.0.1"}, 403},
		{[]string{"Forwarded", "for=127.0.0.1"}, 403},
		{[]string{"Host", "rebound.example.com"}, 403},
		{[]string{"Host", "rebound.example.com", "Authorization", "Bearer a-token-for-metrics"}, 200},
		{[]string{"Host", "rebound.example.com", "Authorization", "bearer  a-token-for-metrics"}, 200},
		{[]string{"Host", "rebound.example.com", "Authorization", "Bearer a-token-for-metric"}, 403},
		{[]string{"Host", "rebound.example.com", "Authorization", "Bearer "}, 403},
		{[]string{"Host", "rebound.example.com", "Authorization", "Basic a-token-for-metrics"}, 403},
	} {
		status, _ := look(t, url, c.header...)
		assert.Equal(t, c.status, status, "%q", c.header)
	}
	none := start(t, t.TempDir())
	status, _ := look(t, none.Ready().HTTP+"/metrics", "Host", "rebound.example.com", "Authorization", "Bearer ")
	assert.Equal(t, 403, status, "no token is no token")
	res, err := http.Post(s.Ready().HTTP+"/metrics", "", nil)
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 405, res.StatusCode)
}

func TestReadinessFollowsTheStore(t *testing.T) {
	server, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(server.Remove)
	s := start(t, t.TempDir(), func(c *Config) { c.Store = server.URL("postgres", "") })
	ready := func() int { status, _ := look(t, s.Ready().HTTP+"/readyz"); return status }
	require.Equal(t, 200, ready())
	server.Kill()
	require.Eventually(t, func() bool { return ready() == 503 }, 2*time.Minute, 20*time.Millisecond)
	status, text := look(t, s.Ready().HTTP+"/healthz")
	assert.Equal(t, 200, status)
	assert.Equal(t, "ok\n", text)
	status, _ = look(t, s.Ready().HTTP+"/metrics")
	assert.Equal(t, 200, status, "metrics do not need the store")
	require.NoError(t, server.Run())
	require.Eventually(t, func() bool { return ready() == 200 }, 2*time.Minute, 20*time.Millisecond)
	s.stopped.Store(true) // as Shutdown does first
	assert.Equal(t, 503, ready())
}

// However many ask, and whoever goes before there is an answer: the store is tried by one at a time, and seldom.
func TestReadinessIsFoundOutForAll(t *testing.T) {
	var tried atomic.Int64
	entered, goOn := make(chan struct{}), make(chan error)
	warned := 0
	o := newOps(nil, "", func(context.Context) error {
		tried.Add(1)
		entered <- struct{}{}
		return <-goOn
	}, func() bool { return false }, func(error) { warned++ })
	o.good = time.Hour
	ask := func(ctx context.Context) int {
		w := httptest.NewRecorder()
		o.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/readyz", nil))
		return w.Code
	}
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan int)
	go func() { first <- ask(ctx) }()
	<-entered
	gone, leave := context.WithCancel(context.Background())
	leave()
	assert.Equal(t, 503, ask(gone), "who has gone waits for nothing")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { assert.Equal(t, 200, ask(context.Background())) })
	}
	cancel() // the first one leaves; the others still get their answer
	goOn <- nil
	assert.Equal(t, 200, <-first)
	wg.Wait()
	assert.EqualValues(t, 1, tried.Load())

	o.asked = time.Time{}
	go func() { first <- ask(context.Background()) }()
	<-entered
	goOn <- errors.New("away")
	assert.Equal(t, 503, <-first)
	assert.Equal(t, 503, ask(context.Background()), "a failure is told again for a moment")
	assert.Equal(t, 1, warned)
}

func TestEachAnswerHasTheIDOfItsLogLine(t *testing.T) {
	s := start(t, t.TempDir())
	seen := map[string]bool{}
	for range 3 {
		res, err := http.Get(s.Ready().HTTP + "/api/x")
		require.NoError(t, err)
		res.Body.Close()
		id := res.Header.Get("X-Request-ID")
		assert.Len(t, id, 22)
		assert.False(t, seen[id])
		seen[id] = true
	}
}

func TestConfigurationFromTheEnvironment(t *testing.T) {
	read := func(env map[string]string, args ...string) (Config, error) {
		var c Config
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		c.RegisterFlags(fs)
		require.NoError(t, fs.Parse(args))
		return c, FromEnvironment(fs, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	}
	c, err := read(map[string]string{
		"KIICLOUD_STORE": "postgres://u:p@h/d", "KIICLOUD_TOKEN_TTL": "1h", "KIICLOUD_APP": "one:k1, two:k2", "KIICLOUD_ADMIN": "root:from-environment",
		"KIICLOUD_LIMIT_REGISTER": "5/1m", "KIICLOUD_HTTPS": "", "KIICLOUD_TRUST_PROXY": "10.0.0.0/8,::1", "HOME": "/",
	}, "-admin", "root:from-flag")
	require.NoError(t, err)
	assert.Equal(t, "postgres://u:p@h/d", c.Store)
	assert.Equal(t, time.Hour, c.TokenTTL)
	assert.Equal(t, []App{{ID: "one", Key: "k1"}, {ID: "two", Key: "k2"}}, c.Apps)
	assert.Equal(t, []Admin{{ClientID: "root", Secret: "from-flag"}}, c.Admins, "a flag counts more")
	assert.Equal(t, 5, c.Limits.RegisterByAddress.N)
	assert.Len(t, c.TrustProxies, 2)
	assert.Empty(t, c.HTTPS)
	assert.Equal(t, "127.0.0.1:8080", c.HTTP)

	_, err = read(map[string]string{"KIICLOUD_ADMIN": "secret-without-colon"})
	require.ErrorContains(t, err, "KIICLOUD_ADMIN")
	assert.NotContains(t, err.Error(), "secret-without-colon")
}
