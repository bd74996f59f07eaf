package browser_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// gate holds requests back until it is opened, or the test is over.
type gate struct {
	open, over chan struct{}
}

func newGate(t *testing.T) *gate {
	g := &gate{make(chan struct{}), make(chan struct{})}
	t.Cleanup(func() { close(g.over) })
	return g
}

func (g *gate) wait() {
	select {
	case <-g.open:
	case <-g.over:
	}
}

// TestFilesThatNeverCome: a call that is over before a file has come says which file that is.
func TestFilesThatNeverCome(t *testing.T) {
	const login, token = `kii.login("a", "b", call)`, `kii.useToken("t", { userID: "u" }, call)`
	browser := chrome.Start(t, chrome.Options{})
	for name, tc := range map[string]struct{ file, where, call, names string }{
		"mainhost.mjs":           {"/mainhost.mjs", inPage, login, "mainhost.mjs"},
		"the module in the page": {"/kiiweb.wasm", inPage, login, "/kiiweb.wasm"},
		"worker.js":              {"/worker.js", inWorker, login, "/worker.js"},
		"the module in a worker": {"/kiiweb.wasm", inWorker, login, "/kiiweb.wasm"},
		"tabs.mjs":               {"/tabs.mjs", automatic, token, "tabs.mjs"},
		"push.mjs":               {"/push.mjs", automatic, `kii.startPush(call)`, "push.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			silence := newGate(t)
			base := host(t, func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != tc.file {
					return false
				}
				silence.wait()
				return true
			})
			t.Cleanup(func() { close(silence.open) }) // before the server is, which waits for its handlers
			tab := browser.Tab(t)
			tab.Open(base + "/page")
			var told struct {
				Message, Remedy string
				Retryable       bool
			}
			// On a slow machine the first calls may not get as far as to the file.
			require.NoError(t, tab.TryEval(patience, `(async () => {
				const lib = await import("/kiiweb.mjs");
				const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL: "http://localhost:9/api", host: `+quote(tc.where)+` });
				const call = { timeout: 300 };
				for (;;) {
					try { await `+tc.call+` } catch ({ code, message, remedy, retryable }) {
						if (code !== "TIMEOUT") throw new Error(code + ": " + message);
						if (message.includes(`+quote(tc.names+" has not loaded")+`)) return { message, remedy, retryable };
					}
				}
			})()`, &told), "%v", tab.Problems())
			assert.Contains(t, told.Remedy, tc.names)
			assert.True(t, told.Retryable)
		})
	}
}

// TestModuleBesideMainHost: the page fetches the module while mainhost.mjs is on its way, and what keeps it
// out until that has come is told as well as what does so later.
func TestModuleBesideMainHost(t *testing.T) {
	browser := chrome.Start(t, chrome.Options{})
	for name, tc := range map[string]struct {
		status          int    // of the module's answer
		policy          string // of the page
		code, why, text string
	}{
		"it is there":             {http.StatusOK, "", "NETWORK", "", ""}, // the module runs; nobody listens on the port
		"there is no such file":   {http.StatusNotFound, "", "WASM_LOAD", "notFound", "404"},
		"a server in trouble":     {http.StatusServiceUnavailable, "", "WASM_LOAD", "network", "503"},
		"a policy that blocks it": {http.StatusOK, "script-src 'self' 'wasm-unsafe-eval'; connect-src http://localhost:*/seen", "WASM_LOAD", "csp", "connect-src"},
		"a policy against wasm":   {http.StatusOK, "script-src 'self'", "WASM_LOAD", "csp", "wasm-unsafe-eval"},
	} {
		t.Run(name, func(t *testing.T) {
			late := newGate(t)
			asked := make(chan string, 16)
			serve := func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case r.URL.Path == "/kiiweb.wasm" && tc.status != http.StatusOK:
					w.WriteHeader(tc.status)
				case r.URL.Path == "/mainhost.mjs":
					late.wait()
					return false
				case r.URL.Path == "/seen":
					asked <- "seen"
					return true
				case strings.HasPrefix(r.URL.Path, "/page") && tc.policy != "":
					w.Header().Set("Content-Security-Policy", tc.policy)
					return false
				default:
					return false
				}
				return true
			}
			base := host(t, serve)
			tab := browser.Tab(t)
			tab.Open(base + "/page")
			// The page says when the fetch has come to something, and then mainhost.mjs comes.
			tab.Eval(`(() => {
				const { fetch } = globalThis;
				globalThis.seen = 0;
				globalThis.fetches = 0;
				const tell = () => { if (!seen++) fetch("/seen") };
				addEventListener("securitypolicyviolation", tell);
				globalThis.fetch = (url, init) => {
					const answer = fetch(url, init);
					if (String(url).endsWith("/kiiweb.wasm")) { fetches++; answer.then(tell, () => {}) }
					return answer;
				};
				globalThis.ran = import("/kiiweb.mjs").then((lib) => (`+callOnce+`)(lib, { host: "main", tabs: false }));
				return true;
			})()`, nil)
			<-asked
			close(late.open)
			var ran whereItRan
			require.NoError(t, tab.TryEval(patience, "ran", &ran), "%v", tab.Problems())
			said, err := json.Marshal(ran)
			require.NoError(t, err)
			assert.Equal(t, tc.code, ran.Code, string(said))
			assert.Equal(t, tc.why, ran.Why, string(said))
			if tc.why == "csp" {
				assert.Contains(t, ran.Remedy, tc.text)
			}
			var fetches int
			tab.Eval("fetches", &fetches)
			assert.Equal(t, 1, fetches)
		})
	}
}
