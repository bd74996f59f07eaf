package interop

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
)

//go:embed page_test.js
var pageScript string

// chromium is our client in a page: the files of js/dist as they are shipped.
type chromium struct {
	tab     *chrome.Tab
	version string
}

// newChromium starts headless Chromium and opens a page, until t ends.
func newChromium(t testing.TB) *chromium {
	t.Helper()
	return newChromiumIn(t, "auto")
}

// newChromiumIn is newChromium with the module in a worker or in the page itself.
func newChromiumIn(t testing.TB, host string) *chromium {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/kiiweb/", http.StripPrefix("/kiiweb/", http.FileServer(http.Dir("js/dist"))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><title>interop</title>`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := &chromium{tab: chrome.Start(t, chrome.Options{}).Tab(t)}
	c.tab.Open(server.URL + "/")
	c.tab.Eval("("+pageScript+")("+strconv.Quote(host)+")", &c.version)
	return c
}

func (c *chromium) about() (name, version string) { return onChromium, c.version }

// result is what the page's functions give.
type result struct {
	Value json.RawMessage
	Code  kiiweb.Code
	Text  string
}

// call calls one of the page's functions.
func (c *chromium) call(t testing.TB, function string, args ...any) (r result) {
	t.Helper()
	c.eval(t, &r, function, args...)
	if r.Code != "" {
		t.Logf("%s: %s %s", function, r.Code, r.Text)
	}
	return r
}

func (c *chromium) eval(t testing.TB, out any, function string, args ...any) {
	t.Helper()
	list := "" // JSON is JavaScript
	for i, arg := range args {
		b, err := json.Marshal(arg)
		require.NoError(t, err)
		if i > 0 {
			list += ","
		}
		list += string(b)
	}
	require.NoError(t, c.tab.TryEval(soon, "interop."+function+"("+list+")", out))
}

func (c *chromium) connect(t testing.TB, e kiiweb.Endpoint, o options) (client, kiiweb.Code) {
	t.Helper()
	settings := map[string]any{
		"transport": o.transport, "qos": o.qos, "keepAlive": o.keepAlive, "timeout": o.limit.Milliseconds(),
	}
	if o.protocol != 0 {
		settings["protocol"] = o.protocol
	}
	if o.unwatched {
		settings["displacement"] = "off"
	}
	if o.path != "" {
		settings["path"] = o.path
	}
	r := c.call(t, "connect", map[string]any{
		"username": e.Username, "password": e.Password, "mqttTopic": e.MQTTTopic,
		"host": e.Host, "portWS": e.PortWS,
	}, settings)
	if r.Code != "" {
		return nil, r.Code
	}
	p := &pageClient{chromium: c, t: t, limit: o.limit}
	require.NoError(t, json.Unmarshal(r.Value, &p.n))
	t.Cleanup(p.close)
	return p, ""
}

// pageClient is a connection in the page.
type pageClient struct {
	*chromium
	t     testing.TB
	n     int // the page's number for it
	limit time.Duration
	got   []peer.Message
}

func (p *pageClient) publish(qos byte, retain bool, topic string, payloads ...string) kiiweb.Code {
	p.t.Helper()
	return p.call(p.t, "publish", p.n, topic, payloads,
		map[string]any{"qos": qos, "retain": retain, "timeout": p.limit.Milliseconds()}).Code
}

func (p *pageClient) subscribe(filter string, qos byte) (granted byte, code kiiweb.Code) {
	p.t.Helper()
	r := p.call(p.t, "subscribe", p.n, filter, map[string]any{"qos": qos, "timeout": soon.Milliseconds()})
	if r.Code == "" {
		require.NoError(p.t, json.Unmarshal(r.Value, &granted))
	}
	return granted, r.Code
}

func (p *pageClient) unsubscribe(filter string) kiiweb.Code {
	p.t.Helper()
	return p.call(p.t, "unsubscribe", p.n, filter, map[string]any{"timeout": soon.Milliseconds()}).Code
}

func (p *pageClient) messages() []peer.Message {
	var rows [][4]any
	p.eval(p.t, &rows, "messages", p.n, len(p.got))
	for _, row := range rows {
		p.got = append(p.got, peer.Message{
			Topic: row[0].(string), Payload: row[1].(string), QoS: byte(row[2].(float64)), Retain: row[3].(bool),
		})
	}
	return p.got
}

func (p *pageClient) states() (states []kiiweb.State) {
	p.eval(p.t, &states, "states", p.n)
	return states
}

func (p *pageClient) wake() { p.eval(p.t, nil, "online") }

func (p *pageClient) close() { assert.Empty(p.t, p.call(p.t, "close", p.n).Code) }
