package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// dialled is one WebSocket of a listeningBroker.
type dialled struct {
	first chan byte     // the first byte that is said on it
	ended chan struct{} // closed when it has ended
}

// connectPacket is the first byte of CONNECT.
const connectPacket = 0x10

// listeningBroker takes WebSockets, tells of each, and says nothing. It gives the endpoint's port.
func listeningBroker(t *testing.T, dials chan<- dialled) (port string) {
	upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt", "mqttv3.1"}, CheckOrigin: func(*http.Request) bool { return true }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		d := dialled{make(chan byte, 1), make(chan struct{})}
		defer close(d.ended)
		dials <- d
		for {
			_, data, err := ws.ReadMessage()
			if err != nil {
				return
			}
			if len(data) > 0 && len(d.first) == 0 {
				d.first <- data[0]
			}
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return u.Port()
}

// TestWebSocketBesideModule: the WebSocket opens while the module is on its way, which then speaks on that one; where it does not come
// the WebSocket is closed, with nothing said.
func TestWebSocketBesideModule(t *testing.T) {
	browser := chrome.Start(t, chrome.Options{})
	for _, where := range []string{inPage, inWorker} {
		for name, found := range map[string]bool{"the module comes": true, "there is no module": false} {
			t.Run(where+", "+name, func(t *testing.T) {
				dials := make(chan dialled, 16)
				port := listeningBroker(t, dials)
				opened := newGate(t)
				base := host(t, func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/kiiweb.wasm" {
						return false
					}
					opened.wait()
					if !found {
						w.WriteHeader(http.StatusNotFound)
					}
					return !found
				})
				open := sync.OnceFunc(func() { close(opened.open) })
				t.Cleanup(open) // before the server is closed, which waits for its handlers
				tab := browser.Tab(t)
				tab.Open(base + "/page")
				tab.Eval(`(() => {
					globalThis.ran = import("/kiiweb.mjs").then(async (lib) => {
						const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL: "http://localhost:9/api", tabs: false, host: `+quote(where)+` });
						const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "localhost", portWS: `+port+` };
						return kii.connect(endpoint).then(() => "connected", ({ why }) => why);
					});
					return true;
				})()`, nil)
				d := soon(t, tab, "a WebSocket before the module", dials)
				assert.Empty(t, d.first, "nothing is said while the module is away")
				open()
				if found {
					assert.EqualValues(t, connectPacket, soon(t, tab, "the module speaks on it", d.first))
				} else {
					var why string
					require.NoError(t, tab.TryEval(patience, "ran", &why), "%v", tab.Problems())
					assert.Equal(t, "notFound", why)
					soon(t, tab, "it is closed", d.ended)
					assert.Empty(t, d.first)
				}
				assert.Empty(t, dials, "there is one")
			})
		}
	}
}

// TestNoWebSocketThanTheProgramsOwn: none is opened where the program opens none, or one of another kind.
func TestNoWebSocketThanTheProgramsOwn(t *testing.T) {
	browser := chrome.Start(t, chrome.Options{})
	for _, where := range []string{inPage, inWorker} {
		start := func(t *testing.T, endpoint, options string) (tab *chrome.Tab, astray <-chan string) {
			paths := make(chan string, 16)
			base := host(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Upgrade") == "" {
					return false
				}
				paths <- r.URL.Path
				w.WriteHeader(http.StatusNotFound)
				return true
			})
			tab = browser.Tab(t)
			tab.Open(base + "/page")
			tab.Eval(`(() => {
				globalThis.ran = import("/kiiweb.mjs").then(async (lib) => {
					const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL: "http://localhost:9/api", tabs: false, host: `+quote(where)+` });
					const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", `+endpoint+` };
					return kii.connect(endpoint, `+options+`).then(() => "connected", ({ code }) => code);
				});
				return true;
			})()`, nil)
			return tab, paths
		}
		t.Run(where+", in the clear to another machine", func(t *testing.T) {
			tab, astray := start(t, `host: "broker.example", portWS: 80`, `{ transport: "ws" }`)
			var code string
			require.NoError(t, tab.TryEval(patience, "ran", &code), "%v", tab.Problems())
			assert.Equal(t, "INSECURE", code)
			assert.Empty(t, astray, "a WebSocket to where the page is from")
		})
		t.Run(where+", MQTT 3.1", func(t *testing.T) {
			dials := make(chan dialled, 16)
			tab, _ := start(t, `host: "localhost", portWS: `+listeningBroker(t, dials), `{ protocol: 3 }`)
			d := soon(t, tab, "a WebSocket", dials)
			assert.EqualValues(t, connectPacket, soon(t, tab, "something is said on it", d.first))
			assert.Empty(t, dials, "there is one")
		})
	}
}

// TestPutAwayBeforeTheModule: a page that is put away while the module is on its way is kept, and connects when it is back.
func TestPutAwayBeforeTheModule(t *testing.T) {
	dials := make(chan dialled, 16)
	port := listeningBroker(t, dials)
	came := newGate(t)
	base := host(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/kiiweb.wasm" {
			came.wait()
		}
		return false
	})
	open := sync.OnceFunc(func() { close(came.open) })
	t.Cleanup(open) // before the server is closed, which waits for its handlers
	p := &page{Tab: chrome.Start(t, chrome.Options{}).Tab(t), t: t, host: inPage}
	p.Open(base + "/page")
	p.Eval(`(() => {
		globalThis.shown = [];
		addEventListener("pageshow", (event) => shown.push(event.persisted));
		import("/kiiweb.mjs").then(async (lib) => {
			const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL: "http://localhost:9/api", tabs: false, host: "main" });
			const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "localhost", portWS: `+port+` };
			await kii.connect(endpoint, { timeout: 600_000 });
		});
		return true;
	})()`, nil)
	d := soon(t, p.Tab, "a WebSocket before the module", dials)

	p.Open(host(t, nil) + "/page")
	soon(t, p.Tab, "it is closed", d.ended)
	p.back()
	var persisted []bool
	require.Eventually(t, func() bool { // the other page may still be there
		return p.TryEval(patience, `globalThis.shown ?? []`, &persisted) == nil && len(persisted) > 0
	}, patience, 20*time.Millisecond, "the page did not come back as it was")
	assert.Equal(t, []bool{true}, persisted)
	open()
	again := soon(t, p.Tab, "another WebSocket", dials)
	assert.EqualValues(t, connectPacket, soon(t, p.Tab, "the module speaks on it", again.first))
}

// soon gives what comes from a channel.
func soon[T any](t *testing.T, tab *chrome.Tab, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		require.Fail(t, what, "%v", tab.Problems())
	}
	return v
}
