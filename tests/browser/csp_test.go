package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// policyLine is one line of the second table of docs/csp.md.
type policyLine struct{ page, worker, host, result string }

func policyLines(t *testing.T) []policyLine {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(cloud.Root(), "docs", "csp.md"))
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(document), "| page | worker.js | `host` | result |\n|---|---|---|---|\n")
	require.True(t, ok, "docs/csp.md has the table")
	table, _, _ = strings.Cut(table, "\n\n")
	var lines []policyLine
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		require.Len(t, cells, 4, line)
		for i, cell := range cells {
			cells[i] = strings.Trim(cell, " `")
		}
		lines = append(lines, policyLine{cells[0], cells[1], cells[2], cells[3]})
	}
	return lines
}

// policyServer serves js/dist, pages that load the library with either loader, and each file
// with the policy that its query asks for, or the one that only reports.
func policyServer(t *testing.T) string {
	t.Helper()
	files := http.FileServer(http.Dir(dist(".")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if policy := r.URL.Query().Get("csp"); policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		if policy := r.URL.Query().Get("trial"); policy != "" {
			w.Header().Set("Content-Security-Policy-Report-Only", policy)
		}
		switch r.URL.Path {
		case "/kiiweb.mjs.html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><script type="module" nonce="example" src="/import.js"></script>`))
		case "/kiiweb.js.html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><script nonce="example" src="/kiiweb.js"></script>`))
		case "/import.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(`import * as kiiweb from "/kiiweb.mjs"; globalThis.kiiweb = kiiweb`))
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// TestPolicies: each line of the table in docs/csp.md is true.
func TestPolicies(t *testing.T) {
	c := cloud.Start(t)
	u := c.NewUser()
	base := policyServer(t)
	api := strings.TrimSuffix(c.Ready.API, "/api")
	real := strings.NewReplacer("https://api.example", api, "wss://broker.example", "ws://localhost:"+strconv.Itoa(c.Ready.PortWS))
	browser := chrome.Start(t, chrome.Options{})
	lines := policyLines(t)
	require.Greater(t, len(lines), 10)
	for i, line := range lines {
		for _, loader := range []string{"kiiweb.mjs", "kiiweb.js"} {
			t.Run(strconv.Itoa(i+1)+" "+loader, func(t *testing.T) {
				tab := browser.Tab(t)
				tab.Open(base + "/" + loader + ".html?csp=" + url.QueryEscape(real.Replace(line.page)))
				options := map[string]any{
					"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "host": line.host,
					"workerURL": "/worker.js?csp=" + url.QueryEscape(real.Replace(line.worker)),
				}
				ran := underPolicy(t, tab, options, u)
				if place, works := strings.CutPrefix(line.result, "works in the "); works {
					assert.Empty(t, ran.Code, "%+v", ran)
					assert.Equal(t, map[string]string{"page": inPage, "worker": inWorker}[place], ran.Host, ran.Reason)
					assert.Equal(t, "under policy", ran.Text)
					return
				}
				code, named, ok := strings.Cut(line.result, " names ")
				require.True(t, ok, line.result)
				assert.Equal(t, code, ran.Code, "%+v", ran)
				assert.Contains(t, ran.Message+" "+ran.Remedy, named, "%+v", ran)
				assert.False(t, ran.Retryable, "%+v", ran)
			})
		}
	}
}

// TestPolicyOnTrial: a policy that only reports keeps nothing from working, whatever it would forbid.
func TestPolicyOnTrial(t *testing.T) {
	c := cloud.Start(t)
	u := c.NewUser()
	trial := "?trial=" + url.QueryEscape("default-src 'none'")
	base := policyServer(t)
	browser := chrome.Start(t, chrome.Options{})
	for _, where := range []string{inPage, inWorker} {
		t.Run(where, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(base + "/kiiweb.mjs.html" + trial)
			options := map[string]any{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "host": where, "workerURL": "/worker.js" + trial}
			ran := underPolicy(t, tab, options, u)
			assert.Equal(t, policyRun{Host: where, Text: "under policy"}, ran)
		})
	}
	t.Run("beside one that is in force", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Open(base + "/kiiweb.mjs.html" + trial + "&csp=" + url.QueryEscape("script-src 'self'"))
		options := map[string]any{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "host": inPage}
		ran := underPolicy(t, tab, options, u)
		assert.Equal(t, "WASM_LOAD", ran.Code)
		assert.Contains(t, ran.Remedy, "'wasm-unsafe-eval'")
	})
}

type policyRun struct {
	Host, Reason, Text    string
	Code, Message, Remedy string
	Retryable             bool
}

// underPolicy goes from load to a message that the page sends itself.
func underPolicy(t *testing.T, tab *chrome.Tab, options map[string]any, u cloud.User) (ran policyRun) {
	t.Helper()
	given, err := json.Marshal(options)
	require.NoError(t, err)
	err = tab.TryEval(patience, `(async () => {
		while (!globalThis.kiiweb) await new Promise((resolve) => setTimeout(resolve, 5));
		const ran = { host: "", reason: "", text: "", code: "", message: "", remedy: "", retryable: false };
		const kii = await kiiweb.load(`+string(given)+`);
		try {
			await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
			const { installationID } = await kii.installMqtt(false);
			const connection = await kii.connect(await kii.getMqttEndpoint(installationID));
			await kii.sendToMe({ data: { text: "under policy" } });
			const { value } = await connection[Symbol.asyncIterator]().next();
			ran.text = value.json().text;
		} catch ({ code, message, remedy, retryable }) {
			Object.assign(ran, { code, message, remedy, retryable });
		}
		ran.host = kii.host ?? "";
		ran.reason = kii.hostReason?.message ?? "";
		await kii.dispose();
		return ran;
	})()`, &ran)
	require.NoError(t, err, "%v", tab.Problems())
	return ran
}
