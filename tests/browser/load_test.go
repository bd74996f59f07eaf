package browser_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// dist is the folder of the built files.
func dist(name string) string { return filepath.Join(cloud.Root(), "js", "dist", name) }

// host serves the built library from an origin of its own, and empty pages beside it.
// change may answer a request itself and report so.
func host(t *testing.T, change func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	files := http.FileServer(http.Dir(filepath.Join(cloud.Root(), "js", "dist")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case change != nil && change(w, r):
		case strings.HasPrefix(r.URL.Path, "/page"):
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><title>page</title>"))
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// loadFailure loads the library from base and calls a method that needs the module. where
// is load's option host.
func loadFailure(t *testing.T, tab *chrome.Tab, base, where string) failure {
	t.Helper()
	tab.Open(base + "/page")
	var f *failure
	tab.Eval(`(async () => {
		const lib = await import("/kiiweb.mjs");
		const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL: "http://localhost:9/api", host: `+quote(where)+` });
		try { await kii.login("a", "b"); return null } catch (e) {
			return { isKiiError: e instanceof lib.KiiError, code: e.code, message: e.message, remedy: e.remedy, why: e.why };
		}
	})()`, &f)
	require.NotNil(t, f, "nothing was rejected")
	return *f
}

func TestModuleThatDoesNotLoad(t *testing.T) {
	wasm, err := os.ReadFile(dist("kiiweb.wasm"))
	require.NoError(t, err)
	answer := func(status int, contentType string, body []byte) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/kiiweb.wasm" {
				return false
			}
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write(body)
			return true
		}
	}
	// The build id's last part names the content; here it names another one.
	tampered := bytes.Clone(wasm)
	id := bytes.Index(tampered, []byte("Go build ID: \""))
	require.Positive(t, id)
	end := id + 14 + bytes.IndexByte(tampered[id+14:], '"')
	tampered[id+bytes.LastIndexByte(tampered[id:end], '/')+1] ^= 1
	browser := chrome.Start(t, chrome.Options{})

	for name, tc := range map[string]struct {
		change    func(http.ResponseWriter, *http.Request) bool
		code, why string
	}{
		"as it should be":                   {nil, "NETWORK", ""}, // the module runs; nobody listens on the port
		"a wrong MIME type is got over":     {answer(200, "application/octet-stream", wasm), "NETWORK", ""},
		"there is no such file":             {answer(404, "text/plain", []byte("no")), "WASM_LOAD", "notFound"},
		"an HTML page in its place":         {answer(200, "text/html", []byte("<!doctype html>")), "WASM_LOAD", "mime"},
		"a module of another build":         {answer(200, "application/wasm", tampered), "WASM_LOAD", "mismatch"},
		"a policy without wasm-unsafe-eval": {withPolicy("script-src 'self'"), "WASM_LOAD", "csp"},
		"the policy that suffices":          {withPolicy("script-src 'self' 'wasm-unsafe-eval'"), "NETWORK", ""},
	} {
		for _, where := range []string{inWorker, inPage} {
			t.Run(name+" in "+where, func(t *testing.T) {
				f := loadFailure(t, browser.Tab(t), host(t, tc.change), where)
				assert.Equal(t, tc.code, f.Code, "%+v", f)
				assert.Equal(t, tc.why, f.Why, "%+v", f)
				assert.True(t, f.IsKiiError)
				assert.NotEmpty(t, f.Remedy)
			})
		}
	}
}

// withPolicy gives pages, and the worker, a Content-Security-Policy and lets the request go on.
func withPolicy(policy string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/page") || r.URL.Path == "/worker.js" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		return false
	}
}

// TestNothingIsFetchedBeforeItIsNeeded: load alone costs a page nothing.
func TestNothingIsFetchedBeforeItIsNeeded(t *testing.T) {
	onEachHost(t, nothingIsFetched)
}

func nothingIsFetched(t *testing.T, s *site) {
	p := s.page(plain)
	var before, after []string
	if s.host == inPage {
		p.inside("answers.map(([url]) => url)", &before)
	}
	assert.Empty(t, before)
	assert.Empty(t, p.Workers())
	var host *string
	p.Eval("kii.host", &host)
	assert.Nil(t, host, "nobody knows yet")
	p.rejects(`await kii.login("nobody", "x")`)
	p.inside("answers.map(([url]) => new URL(url, location).pathname)", &after)
	assert.Contains(t, after, "/kiiweb/kiiweb.wasm")
}

// TestScriptTag: window.kiiweb, and nothing else stays global.
func TestScriptTag(t *testing.T) { onEachHost(t, scriptTag) }

func scriptTag(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(secure)
	var globals []string
	p.eval(`
		const before = new Set(Object.getOwnPropertyNames(globalThis));
		await new Promise((done, failed) => {
			const script = document.createElement("script");
			script.src = "/kiiweb/kiiweb.js"; script.onload = done; script.onerror = failed;
			document.head.append(script);
		});
		globalThis.kii = await kiiweb.load(options);
		await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
		await journey();
		return Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name) && !["installation", "endpoint", "connection"].includes(name))`, &globals)
	assert.Equal(t, []string{"kiiweb"}, globals)
	s.Push(u, map[string]any{"text": "by script tag"})
	p.awaitTexts("by script tag")
	p.assertQuiet()
}

// TestTwoModulesInOnePage: two users side by side.
func TestTwoModulesInOnePage(t *testing.T) { onEachHost(t, twoModulesInOnePage) }

func twoModulesInOnePage(t *testing.T, s *site) {
	one, two := s.NewUser(), s.NewUser()
	p := s.page(plain)
	p.connectAs(one)
	p.eval(`
		globalThis.other = await lib.load(options);
		await other.login(`+quote(two.LoginName)+`, `+quote(two.Password)+`);
		const endpoint = await other.getMqttEndpoint((await other.installMqtt(false)).installationID);
		globalThis.otherGot = [];
		(await other.connect(endpoint)).on("message", (m) => otherGot.push(m.json().text))`, nil)
	s.Push(one, map[string]any{"text": "for one"})
	s.Push(two, map[string]any{"text": "for two"})
	p.awaitTexts("for one")
	p.await(`otherGot.length === 1 && otherGot[0] === "for two"`)
	p.await(`connection.state === "online"`)
}

// TestTheModuleWritesATable: which function is at which place in the code is not in the file; without it stacks would be walked
// slowly, and by a wrong one not at all.
func TestTheModuleWritesATable(t *testing.T) {
	s := newSite(t)
	p := s.page(plain)
	var table struct{ Functions, Places, Wrong int }
	p.eval(`
		const none = new Proxy({}, { get: () => () => {} });
		const { instance } = await WebAssembly.instantiateStreaming(fetch("/kiiweb/kiiweb.wasm"), { gojs: none });
		const memory = new DataView(instance.exports.mem.buffer);
		const word = (at) => Number(memory.getBigUint64(at, true));
		let header = 0; // of the tables of functions: runtime.pcHeader
		while (memory.getUint32(header, true) !== 0xfffffff1 || memory.getUint32(header + 4, true) !== 0x08010000) header += 8;
		let record = header; // runtime.moduledata
		while (word(record) !== header || word(record + 8) !== header + word(header + 32)) record += 8;
		const [places, first, last] = [19, 20, 21].map((i) => word(record + 8 * i));
		const count = Math.ceil((last - first) / 4096);
		let wrong = 0;
		for (let i = 0; i < count; i++) if (memory.getUint32(places + 20 * i, true) !== Math.floor(i / 16)) wrong++;
		return { Functions: word(header + 8), Places: count, Wrong: wrong }`, &table)
	assert.Zero(t, table.Wrong)
	assert.Greater(t, table.Functions, 2000)
	assert.InDelta(t, 16*table.Functions, table.Places, 16)
}

// TestRawUse: a plain wasm_exec.js and the module, without the loader.
func TestRawUse(t *testing.T) {
	s := newSite(t)
	u := s.NewUser()
	p := s.page(secure)
	p.eval(`
		await new Promise((done, failed) => {
			const script = document.createElement("script");
			script.src = "/kiiweb/wasm_exec.js"; script.onload = done; script.onerror = failed;
			document.head.append(script);
		});
		const go = new Go();
		const { instance } = await WebAssembly.instantiateStreaming(fetch("/kiiweb/kiiweb.wasm"), go.importObject);
		go.run(instance).then(() => { globalThis.ended = true });
		await kiiweb.init(options);
		await kiiweb.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
		const { installationID, installationRegistrationID } = await kiiweb.installMqtt(false);
		globalThis.registrationID = installationRegistrationID;
		const endpoint = await kiiweb.getMqttEndpoint(installationID);
		globalThis.rawStates = [];
		globalThis.raw = await kiiweb.connect(endpoint, {
			onMessage: (m) => {
				got.push({ text: m.json().text, bytes: m.bytes.length, qos: m.qos, topic: m.topic === endpoint.mqttTopic });
				if (m.json().text === "throw") throw new Error("thrown on purpose");
			},
			onState: (s) => rawStates.push(s.state),
		})`, nil)
	s.Push(u, map[string]any{"text": "throw"})
	s.Push(u, map[string]any{"text": "raw"})
	p.awaitTexts("throw", "raw")
	var last struct {
		Bytes, QoS int
		Topic      bool
	}
	p.Eval("got[1]", &last)
	assert.GreaterOrEqual(t, last.Bytes, len(`{"text":"raw"}`))
	assert.Equal(t, 1, last.QoS)
	assert.True(t, last.Topic)
	p.eval(`await kiiweb.uninstall(registrationID, "MQTT")`, nil)
	p.await(`raw.state === "closed"`)
	var ended bool
	p.Eval("!!globalThis.ended", &ended)
	assert.False(t, ended, "the Go program has ended")
}
