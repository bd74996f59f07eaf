package rest

import (
	"context"
	"encoding/json"
	cmdline "flag"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

func TestMain(m *testing.M) {
	hashing.memory, hashing.passes = 64, 1 // the tests hash often; TestPasswordsAreHashedSlowly uses the real ones
	os.Exit(pgtest.Main(m))
}

// onPostgres has the tests of this process use PostgreSQL.
var onPostgres = cmdline.Bool("postgres", false, "use a private PostgreSQL instead of SQLite")

// TestEverythingOnPostgreSQL runs all other tests once more, each in a schema of its own of a
// PostgreSQL that they share.
func TestEverythingOnPostgreSQL(t *testing.T) {
	if *onPostgres {
		return // this is the other run
	}
	run := exec.Command(os.Args[0], "-postgres", "-test.count=1", "-test.skip=^TestEverythingOnPostgreSQL$", "-test.timeout=9m", "-test.short="+strconv.FormatBool(testing.Short()))
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS")
}

// openStore opens a store until the test ends.
func openStore(t testing.TB, o store.Options) *store.SQL {
	t.Helper()
	var s *store.SQL
	var err error
	if *onPostgres {
		s, err = store.OpenPostgres(context.Background(), pgtest.Fresh(t), o)
	} else {
		o.Dir = t.TempDir()
		s, err = store.OpenSQLite(context.Background(), o)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// realHashing is what hashing is outside the tests.
var realHashing = hashing

// fakeEngine stores what is published and says what it was asked.
type fakeEngine struct {
	mu       sync.Mutex
	pushes   []store.Push
	prepared []store.Installation
	revoked  []store.Installation
	ended    []store.Installation // by Disconnect
	told     []store.Told
	fail     error
	panicky  bool
	issued   int
	endpoint engine.Endpoint
}

func (e *fakeEngine) Endpoint(_ context.Context, i store.Installation) (engine.Endpoint, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.panicky {
		panic("secret-panic-detail")
	}
	e.issued++
	p := e.endpoint
	p.Topic, p.Username, p.Password = i.Topic, "mqtt-user", "mqtt-password-"+string(rune('0'+e.issued))
	return p, e.fail
}

func (e *fakeEngine) Prepare(_ context.Context, i store.Installation) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prepared = append(e.prepared, i)
	return e.fail
}

func (e *fakeEngine) Publish(_ context.Context, to []store.Installation, p store.Push) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return e.fail
	}
	for _, i := range to {
		p.InstallationID = i.ID
		e.pushes = append(e.pushes, p)
	}
	return nil
}

func (e *fakeEngine) Stored(told store.Told) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, told)
}

func (e *fakeEngine) Disconnect(i store.Installation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = append(e.ended, i)
}

func (e *fakeEngine) Revoke(_ context.Context, i store.Installation) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revoked = append(e.revoked, i)
	return e.fail
}

func (e *fakeEngine) Shutdown(context.Context) error { return nil }

func (e *fakeEngine) last(t testing.TB) map[string]any {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.NotEmpty(t, e.pushes, "nothing was pushed")
	var payload map[string]any
	require.NoError(t, json.Unmarshal(e.pushes[len(e.pushes)-1].Payload, &payload))
	return payload
}

func (e *fakeEngine) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.pushes)
}

// lab is an API with a store, a fake engine, a clock that stands still and a log.
type lab struct {
	t      testing.TB
	api    *API
	store  *store.SQL
	engine *fakeEngine
	log    *syncbuf.Buffer

	mu  sync.Mutex
	now time.Time
}

func newLab(t testing.TB, change ...func(*Config)) *lab {
	t.Helper()
	l := &lab{t: t, engine: &fakeEngine{}, log: &syncbuf.Buffer{}, now: time.UnixMilli(1_700_000_000_000)}
	l.engine.endpoint = engine.Endpoint{Host: "localhost", PortTCP: 1, PortSSL: 2, PortWS: 3, PortWSS: 4, TTL: time.Hour}
	s := openStore(t, store.Options{Now: l.clock})
	l.store = s
	c := Config{
		Store: s, Engine: l.engine, Now: l.clock, TokenTTL: 24 * time.Hour,
		Apps:        []App{{"demo", "demo-key"}, {"other", "other-key"}},
		Admins:      []Admin{{"root", "root-secret"}},
		AllowOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "http://localhost:8080" },
		Logger:      slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	l.api, err = New(c)
	require.NoError(t, err)
	return l
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *lab) advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	text string
	json map[string]any
}

// call sends a request with the app's headers; header pairs override or, empty, remove them.
func (l *lab) call(method, path, token, body string, header ...string) answer {
	l.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Kii-AppID", "demo")
	r.Header.Set("X-Kii-AppKey", "demo-key")
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	if from := r.Header.Get("From-Address"); from != "" {
		r.Header.Del("From-Address")
		r.RemoteAddr = net.JoinHostPort(from, "1234")
	}
	w := httptest.NewRecorder()
	l.api.ServeHTTP(w, r)
	a := answer{Response: w.Result(), text: w.Body.String()}
	require.NotContains(l.t, a.text, "%", "clients exist that decode the whole body")
	if a.text != "" {
		require.Contains(l.t, a.Header.Get("Content-Type"), "json")
		require.NoError(l.t, json.Unmarshal([]byte(a.text), &a.json), a.text)
	}
	return a
}

// want checks status and errorCode of a failure.
func (a answer) want(t testing.TB, status int, code string) {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.text)
	require.Equal(t, code, a.json["errorCode"], a.text)
	require.NotEmpty(t, a.json["message"])
}

func (a answer) str(key string) string { s, _ := a.json[key].(string); return s }

// user registers a user and logs in.
func (l *lab) user(name string) (id, token string) {
	l.t.Helper()
	a := l.call("POST", "/api/apps/demo/users", "", `{"loginName":"`+name+`","password":"pw-`+name+`"}`)
	require.Equal(l.t, 201, a.StatusCode, a.text)
	b := l.call("POST", "/api/oauth2/token", "", `{"username":"`+name+`","password":"pw-`+name+`"}`)
	require.Equal(l.t, 200, b.StatusCode, b.text)
	require.Equal(l.t, a.str("userID"), b.str("id"))
	return b.str("id"), b.str("access_token")
}

// thing registers a thing and gives the token that comes with it.
func (l *lab) thing(vendorThingID string) (id, token string) {
	l.t.Helper()
	a := l.call("POST", "/api/apps/demo/things", "", `{"_vendorThingID":"`+vendorThingID+`","_password":"pw-`+vendorThingID+`"}`,
		"Content-Type", "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json")
	require.Equal(l.t, 201, a.StatusCode, a.text)
	return a.str("_thingID"), a.str("_accessToken")
}

func (l *lab) admin() (token string) {
	l.t.Helper()
	a := l.call("POST", "/api/oauth2/token", "", `{"client_id":"root","client_secret":"root-secret"}`)
	require.Equal(l.t, 200, a.StatusCode, a.text)
	return a.str("access_token")
}

func (l *lab) install(token string) (id, registrationID string) {
	l.t.Helper()
	a := l.call("POST", "/api/apps/demo/installations", token, `{"deviceType":"MQTT","development":false}`)
	require.Equal(l.t, 201, a.StatusCode, a.text)
	return a.str("installationID"), a.str("installationRegistrationID")
}
