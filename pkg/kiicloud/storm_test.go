package kiicloud

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

const (
	stormSize    = 5_000 // malformed packets, and requests of chance, in each of two rounds
	stormWorkers = 20
)

// storm does something often, from several goroutines, each with chance of its own and other chance in each round.
func storm(round int, do func(r *rand.Rand)) {
	var wg sync.WaitGroup
	for w := range stormWorkers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			for range stormSize / stormWorkers {
				do(r)
			}
		})
	}
	wg.Wait()
}

// mangle changes some bytes, leaves some out, or doubles some.
func mangle(r *rand.Rand, b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + r.IntN(4) {
		if len(b) == 0 {
			return []byte{byte(r.Uint32())}
		}
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b[i] = byte(r.Uint32())
		case 1:
			b[i] ^= 1 << r.IntN(8)
		case 2:
			b = b[:i]
		case 3:
			b = append(b[:i:i], b[min(len(b), i+1+r.IntN(4)):]...)
		case 4:
			b = append(b[:i:i], append([]byte{byte(r.Uint32())}, b[i:]...)...)
		}
	}
	return b
}

// usage is what a server holds when nobody is connected.
type usage struct {
	goroutines int
	heap       int64 // bytes
}

func measure(t *testing.T, s *Server) usage {
	t.Helper()
	require.Eventually(t, func() bool { return s.engine.Stats().Connections == 0 }, time.Minute, 10*time.Millisecond)
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), int64(m.HeapAlloc)}
}

// Ten thousand malformed packets and ten thousand requests of chance, in two rounds: nothing
// panics, nothing is left over, the second round needs no more memory than the first, and all the while a
// client that behaves gets its pushes.
func TestAStormOfRubbishLeavesNothing(t *testing.T) {
	var log syncbuf.Buffer
	s := start(t, t.TempDir(), func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	r := s.Ready()
	victim, bystander := newcomer(t, r, "victim"), newcomer(t, r, "bystander")
	var used []usage
	for round := range 2 {
		began := time.Now()
		mqttStorm(t, s, victim, round)
		httpStorm(t, s, victim, round)
		used = append(used, measure(t, s))
		t.Logf("%d packets and %d requests in %v: %d goroutines, %d KB of heap", stormSize, stormSize,
			time.Since(began).Round(time.Millisecond), used[len(used)-1].goroutines, used[len(used)-1].heap>>10)
		c := bystander.greet(guardtest.DialTCP(t, mqtt.V5, bystander.port("portTCP")), mqtt.V5)
		bystander.push("fine")
		assert.Equal(t, "fine", received(t, c))
		c.HangUp()
	}
	assert.LessOrEqual(t, used[1].goroutines, used[0].goroutines+10)
	assert.Less(t, used[1].heap, used[0].heap+(4<<20), "memory grows")
	assert.NotContains(t, log.String(), "panic")
}

// mqttStorm sends mangled packets, before and after a proper CONNECT.
func mqttStorm(t *testing.T, s *Server, p *someone, round int) {
	topic, user, password := p.end["mqttTopic"].(string), p.end["username"].(string), p.end["password"].(string)
	storm(round, func(r *rand.Rand) {
		v := []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}[r.IntN(3)]
		hello := guardtest.Connect(v, guardtest.Hello{ClientID: topic, Username: user, Password: password, KeepAlive: 60})
		packets := [][]byte{
			hello,
			guardtest.Subscribe(v, 1, nil, guardtest.Filter{Topic: topic, Options: 1}),
			guardtest.Unsubscribe(v, 2, topic),
			guardtest.Publish(v, 2, 3, topic, nil, `{"a":1}`),
			guardtest.Puback(4),
			guardtest.Pingreq,
		}
		i := r.IntN(len(packets))
		var bytes []byte
		if i > 0 {
			bytes = append(bytes, hello...)
		}
		bytes = append(bytes, mangle(r, packets[i])...)
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ready().PortTCP)))
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = conn.Write(bytes)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn) // until the server is done with it
	})
}

var requestWords = []string{"api", "apps", "demo", "users", "me", "things", "topics", "buckets", "objects", "filters", "all", "push", "messages",
	"subscriptions", "installations", "mqtt-endpoint", "oauth2", "token", "MQTT:x", "..", ".", "%2e%2e", "%00", "%ff", "%", "", "a b", "query", "status", "password", "mqtt"}

// httpStorm sends requests of chance, some of them mangled, and holds every answer to be one.
func httpStorm(t *testing.T, s *Server, p *someone, round int) {
	var mu sync.Mutex
	statuses := map[int]int{}
	storm(round, func(r *rand.Rand) {
		request := randomRequest(r, p.token)
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ready().PortWS)))
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, request)
		_ = conn.(*net.TCPConn).CloseWrite()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		status := 0 // closed without an answer
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			status = res.StatusCode
		}
		mu.Lock()
		defer mu.Unlock()
		statuses[status]++
		if status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported && status != http.StatusServiceUnavailable {
			t.Errorf("%d for %q", status, request)
		}
	})
	t.Logf("statuses: %v", statuses)
	assert.Greater(t, len(statuses), 4, "the requests are of too few kinds")
}

func randomRequest(r *rand.Rand, token string) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	path := pick("/api/apps/demo", "/api", "", "//api//apps//demo", "/mqtt")
	for range r.IntN(7) {
		path += "/" + pick(requestWords...)
	}
	if r.IntN(4) == 0 {
		path += "?" + pick(requestWords...) + "=" + pick(requestWords...)
	}
	body := pick("", "{}", "[]", "null", `{"deviceType":"MQTT","development":false}`, `{"data":{"a":1},"mqtt":{"enabled":true}}`, `{"username":"x","password":"y"}`,
		strings.Repeat("[", 5000), `{"a":`+strings.Repeat(`{"b":`, 3000), `{"n":1e99999}`, "\xff\xfe", `{"loginName":"\u0000"}`)
	if r.IntN(3) == 0 {
		body = string(mangle(r, []byte(body)))
	}
	length := strconv.Itoa(len(body))
	if r.IntN(20) == 0 {
		length = pick("-1", "99999999999999999999", "1", "x", "70000")
	}
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nX-Kii-AppID: %s\r\nX-Kii-AppKey: demo-key\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s",
		pick("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO"), path, pick("demo", "demo", "demo", "other", ""),
		pick("Bearer "+token, "bearer "+token, "Bearer x", "Basic x", ""), pick("application/json", "application/vnd.kii.RegistrationAndAuthorizationRequest+json", "text/plain", ""), length, body)
	if r.IntN(4) == 0 {
		request = string(mangle(r, []byte(request)))
	}
	return request
}

// Clients that are slow, or do not stop, are cut off, and cost nobody else anything.
func TestSlowAndEndlessRequestsAreCutOff(t *testing.T) {
	was := patience
	patience.header, patience.request, patience.answer, patience.idle = time.Second, 2*time.Second, 5*time.Second, time.Second
	t.Cleanup(func() { patience = was })
	s := start(t, t.TempDir())
	head := "POST /api/oauth2/token HTTP/1.1\r\nHost: localhost\r\nX-Kii-AppID: demo\r\nX-Kii-AppKey: demo-key\r\n"
	for name, c := range map[string]struct {
		begin, drip string
		every       time.Duration
		status      int // of the answer before the end; 0: none
	}{
		"nothing":              {"", "", 0, 0},
		"a slow header":        {"POST /api/oauth2/token HTTP/1.1\r\n", "X-A: b\r\n", 100 * time.Millisecond, 0},
		"a slow body":          {head + "Content-Length: 1000\r\n\r\n", "x", 100 * time.Millisecond, 400},
		"a giant body":         {head + "Content-Length: 1000000000\r\n\r\n", "x", 0, 413},
		"an endless body":      {head + "Transfer-Encoding: chunked\r\n\r\n", "400\r\n" + strings.Repeat("x", 1024) + "\r\n", 0, 413},
		"an endless header":    {"GET / HTTP/1.1\r\n", "X-A: " + strings.Repeat("x", 1000) + "\r\n", 0, 431},
		"an endless line":      {"GET /", strings.Repeat("x", 1000), 0, 431},
		"nothing after a call": {"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n", "", 0, 404},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ready().PortWS)))
			require.NoError(t, err)
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			_, err = io.WriteString(conn, c.begin)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(context.Background())
			var dripping sync.WaitGroup
			sent := 0
			if c.drip != "" {
				dripping.Go(func() {
					for ctx.Err() == nil {
						n, err := io.WriteString(conn, c.drip)
						sent += n
						if err != nil {
							return
						}
						time.Sleep(c.every)
					}
				})
			}
			b, _ := io.ReadAll(conn) // ends when the server has closed
			cancel()
			conn.Close()
			dripping.Wait()
			var netErr net.Error
			require.False(t, err != nil && assert.ErrorAs(t, err, &netErr) && netErr.Timeout(), "the server keeps the connection")
			if c.status == 0 {
				assert.NotContains(t, string(b), "HTTP/1.1 2")
			} else if len(b) > 0 { // a client that goes on sending may lose the answer to a reset
				assert.Contains(t, string(b), "HTTP/1.1 "+strconv.Itoa(c.status))
			}
			assert.Less(t, sent, 16<<20, "it was read on and on")
		})
	}
}
