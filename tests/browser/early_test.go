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

// listeningBroker takes WebSockets, tells of each, and says nothing. It gives the endpoint's port.
func listeningBroker(t *testing.T, dials chan<- dialled) (port string) {
	upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt"}, CheckOrigin: func(*http.Request) bool { return true }}
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
	const connectPacket = 0x10
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
