package browser_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// whereItRan is what a page, or another place, reports of a call that needs the module.
// The call itself fails with NETWORK: nobody listens on the port.
type whereItRan struct {
	Code, Why  string // of the call's error
	IsKiiError bool
	Remedy     string
	Host       *string
	Reason     *struct{ Code, Why, Message, Remedy string }
}

// callOnce is the source of an async function of the library and more options of load.
const callOnce = `async (lib, more) => {
	const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL: "http://localhost:9/api", ...more });
	try { await kii.login("a", "b") } catch (e) {
		const reason = kii.hostReason && { code: kii.hostReason.code, why: kii.hostReason.why ?? "", message: kii.hostReason.message, remedy: kii.hostReason.remedy };
		return { code: e.code, why: e.why ?? "", isKiiError: e instanceof lib.KiiError, remedy: e.remedy, host: kii.host, reason };
	}
}`

// script answers requests for /worker.js with a script of its own.
func script(source string) func(http.ResponseWriter, *http.Request) bool {
	return workerAnswer(http.StatusOK, "text/javascript", source)
}

func workerAnswer(status int, contentType, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/worker.js" {
			return false
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// pagePolicy gives pages, and nothing else, a Content-Security-Policy.
func pagePolicy(policy string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/page") {
			w.Header().Set("Content-Security-Policy", policy)
		}
		return false
	}
}

// TestWhereNoWorkerStarts: "auto" goes on in the page and tells why, "worker" rejects with that.
func TestWhereNoWorkerStarts(t *testing.T) {
	browser := chrome.Start(t, chrome.Options{})
	for name, tc := range map[string]struct {
		change    func(http.ResponseWriter, *http.Request) bool
		more      string // options of load
		before    string // run in the page
		code, why string
	}{
		"there is no such file":       {change: workerAnswer(http.StatusNotFound, "text/plain", "no"), code: "WASM_LOAD", why: "notFound"},
		"an HTML page in its place":   {change: workerAnswer(http.StatusOK, "text/html", "<!doctype html>"), code: "WASM_LOAD", why: "mime"},
		"a server in trouble":         {change: workerAnswer(http.StatusServiceUnavailable, "text/plain", "no"), code: "WASM_LOAD", why: "network"},
		"a worker of another build":   {change: script(`postMessage({ type: "hello", build: "0.0.0 other" })`), code: "WASM_LOAD", why: "mismatch"},
		"a script that does not run":  {change: script(`throw new Error("on purpose")`), code: "WASM_LOAD", why: "mismatch"},
		"a script that keeps silent":  {change: script(``), code: "WASM_LOAD", why: "network"},
		"a policy without workers":    {change: pagePolicy("worker-src 'none'"), code: "WASM_LOAD", why: "csp"},
		"a policy for other workers":  {change: pagePolicy("worker-src https://elsewhere.example"), code: "WASM_LOAD", why: "csp"},
		"a worker of another origin":  {more: `workerURL: location.origin.replace("localhost", "127.0.0.1") + "/worker.js"`, code: "WASM_LOAD", why: "origin"},
		"a browser without workers":   {before: `delete globalThis.Worker`, code: "UNSUPPORTED"},
		"nobody listens at workerURL": {more: `workerURL: location.origin + "/nothing/there.js"`, code: "WASM_LOAD", why: "notFound"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a script that keeps silent is waited for
			tab := browser.Tab(t)
			tab.Open(host(t, tc.change) + "/page")
			call := func(where string) (ran whereItRan) {
				tab.Eval(`(async () => (`+callOnce+`)(await import("/kiiweb.mjs"), { host: `+quote(where)+`, `+tc.more+` }))()`, &ran)
				assert.True(t, ran.IsKiiError)
				return ran
			}
			if tc.before != "" {
				tab.Eval(tc.before, nil)
			}
			auto := call(automatic)
			assert.Equal(t, "NETWORK", auto.Code, "the module runs in the page: %+v", auto)
			require.NotNil(t, auto.Host)
			assert.Equal(t, inPage, *auto.Host)
			require.NotNil(t, auto.Reason)
			assert.Equal(t, tc.code, auto.Reason.Code, "%+v", auto.Reason)
			assert.Equal(t, tc.why, auto.Reason.Why, "%+v", auto.Reason)
			assert.NotEmpty(t, auto.Reason.Message)
			assert.NotEmpty(t, auto.Reason.Remedy)

			strict := call(inWorker)
			assert.Equal(t, tc.code, strict.Code)
			assert.Equal(t, tc.why, strict.Why)
			assert.NotEmpty(t, strict.Remedy)
			assert.Nil(t, strict.Host)
			assert.Nil(t, strict.Reason)
		})
	}
}

// TestWhereAWorkerStarts: besides beside the loader.
func TestWhereAWorkerStarts(t *testing.T) {
	browser := chrome.Start(t, chrome.Options{})
	moved := func(_ http.ResponseWriter, r *http.Request) bool {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/assets") // as a bundler moves files
		return false
	}
	for name, tc := range map[string]struct {
		change       func(http.ResponseWriter, *http.Request) bool
		loader, more string
	}{
		"where workerURL says":             {moved, "/assets/kiiweb.mjs", `workerURL: "/worker.js", wasmURL: "/kiiweb.wasm"`},
		"beside a loader that was moved":   {moved, "/assets/kiiweb.mjs", ``},
		"under the policy of the demo":     {pagePolicy("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"), "/kiiweb.mjs", ``},
		"where the page may not compile":   {pagePolicy("script-src 'self'"), "/kiiweb.mjs", ``}, // the worker may: it came without a policy
		"at an address made from a string": {nil, "/kiiweb.mjs", `workerURL: URL.createObjectURL(new Blob(["importScripts('" + location.origin + "/worker.js')"]))`},
	} {
		t.Run(name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(host(t, tc.change) + "/page")
			var ran whereItRan
			tab.Eval(`(async () => (`+callOnce+`)(await import(`+quote(tc.loader)+`), { `+tc.more+` }))()`, &ran)
			assert.Equal(t, "NETWORK", ran.Code, "%+v", ran)
			require.NotNil(t, ran.Host)
			assert.Equal(t, inWorker, *ran.Host, "%+v", ran.Reason)
			assert.Nil(t, ran.Reason)
		})
	}
}

// TestOutsideOfPages: a service worker has no workers, a dedicated worker may have.
func TestOutsideOfPages(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/outside.js" {
			return false
		}
		w.Header().Set("Content-Type", "text/javascript")
		library := `import * as lib from "` + r.URL.RawQuery + `";`
		if r.URL.RawQuery == "/serviceworker.js" {
			library = `importScripts("/serviceworker.js"); const lib = kiiweb;`
		}
		_, _ = w.Write([]byte(library + `
			onmessage = async ({ ports: [port] }) => port.postMessage(await (` + callOnce + `)(lib, {}))`))
		return true
	}
	serviceWorker := func(lib, kind string) string {
		return `const { installing, active } = await navigator.serviceWorker.register("/outside.js?` + lib + `", { type: "` + kind + `" }); const other = installing ?? active`
	}
	browser := chrome.Start(t, chrome.Options{})
	for name, tc := range map[string]struct{ start, code, host, reason string }{
		"a service worker":                  {serviceWorker("/serviceworker.mjs", "module"), "NETWORK", inPage, "UNSUPPORTED"},
		"a service worker that is a script": {serviceWorker("/serviceworker.js", "classic"), "NETWORK", inPage, "UNSUPPORTED"},
		"a worker":                          {`const other = new Worker("/outside.js?/kiiweb.mjs", { type: "module" })`, "NETWORK", inWorker, ""},
		"a service worker that was given the loader of pages": {serviceWorker("/kiiweb.mjs", "module"), "UNSUPPORTED", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(host(t, serve) + "/page")
			var ran whereItRan
			tab.Eval(`(async () => {
				`+tc.start+`;
				const { port1, port2 } = new MessageChannel();
				other.postMessage(0, [port2]);
				return new Promise((done) => { port1.onmessage = ({ data }) => done(data) });
			})()`, &ran)
			assert.Equal(t, tc.code, ran.Code, "%+v", ran)
			if tc.host == "" {
				assert.Nil(t, ran.Host)
				assert.Contains(t, ran.Remedy, "kiiweb/service-worker")
				return
			}
			require.NotNil(t, ran.Host)
			assert.Equal(t, tc.host, *ran.Host)
			if tc.reason == "" {
				assert.Nil(t, ran.Reason)
			} else {
				require.NotNil(t, ran.Reason)
				assert.Equal(t, tc.reason, ran.Reason.Code)
			}
		})
	}
}

// TestAPageThatIsAFile: browsers load none of the other files for it, and do not say why.
func TestAPageThatIsAFile(t *testing.T) {
	dist := filepath.Join(cloud.Root(), "js", "dist")
	folder := t.TempDir()
	for _, name := range []string{"kiiweb.js", "mainhost.mjs", "worker.js", "kiiweb.wasm"} {
		content, err := os.ReadFile(filepath.Join(dist, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o644))
	}
	page := filepath.Join(folder, "page.html")
	require.NoError(t, os.WriteFile(page, []byte("<!doctype html>\n<script src=\"kiiweb.js\"></script>\n"), 0o644))
	tab := chrome.Start(t, chrome.Options{}).Tab(t)
	tab.Open("file://" + filepath.ToSlash(page))
	var ran whereItRan
	tab.Eval(`(`+callOnce+`)(kiiweb, {})`, &ran)
	assert.Equal(t, "WASM_LOAD", ran.Code, "%+v", ran)
	assert.Contains(t, ran.Remedy, "Serve the page over http")
}

// TestCompatBesideAnotherLoader: compat.mjs leaves the loader to kiiweb.mjs, which may be of another build, and lack what it needs.
func TestCompatBesideAnotherLoader(t *testing.T) {
	browser := chrome.Start(t, chrome.Options{})
	for name, loader := range map[string]string{
		"another":             `export const build = "0.0.0 other"; export const load = () => {}, openHost = () => {}`,
		"one without a build": `export const load = () => {}`,
	} {
		t.Run(name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(host(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/kiiweb.mjs" {
					return false
				}
				w.Header().Set("Content-Type", "text/javascript")
				_, _ = w.Write([]byte(loader))
				return true
			}) + "/page")
			var f failure
			tab.Eval(`import("/compat.mjs").then(() => ({}), (e) => ({ name: e.name, code: e.code, why: e.why, remedy: e.remedy }))`, &f)
			assert.Equal(t, "KiiError WASM_LOAD mismatch", f.Name+" "+f.Code+" "+f.Why)
			assert.Contains(t, f.Remedy, "kiiweb.mjs")
		})
	}
}

// TestWhereTheMainHostDoesNotLoad: the file that the loader imports where no worker is to be.
func TestWhereTheMainHostDoesNotLoad(t *testing.T) {
	answer := func(status int, contentType, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/mainhost.mjs" {
				return false
			}
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	browser := chrome.Start(t, chrome.Options{})
	for name, tc := range map[string]struct {
		change func(http.ResponseWriter, *http.Request) bool
		why    string
	}{
		"there is no such file":      {answer(http.StatusNotFound, "text/plain", "no"), "notFound"},
		"an HTML page in its place":  {answer(http.StatusOK, "text/html", "<!doctype html>"), "mime"},
		"a server in trouble":        {answer(http.StatusServiceUnavailable, "text/plain", "no"), "network"},
		"a file of another build":    {answer(http.StatusOK, "text/javascript", `export const build = "0.0.0 other"`), "mismatch"},
		"a script that does not run": {answer(http.StatusOK, "text/javascript", `throw new Error("on purpose")`), "mismatch"},
		"a policy that forbids it":   {pagePolicy("script-src 'wasm-unsafe-eval' 'nonce-x' http://localhost:*/kiiweb.mjs http://localhost:*/kiiweb.js"), "csp"},
	} {
		for _, loader := range []string{`await import("/kiiweb.mjs")`, `(await new Promise((done) => {
			const script = document.createElement("script");
			script.src = "/kiiweb.js"; script.onload = done; document.head.append(script);
		}), kiiweb)`} {
			tab := browser.Tab(t)
			tab.Open(host(t, tc.change) + "/page")
			var ran whereItRan
			tab.Eval(`(async () => (`+callOnce+`)(`+loader+`, { host: "main" }))()`, &ran)
			assert.Equal(t, "WASM_LOAD", ran.Code, "%s: %+v", name, ran)
			assert.Equal(t, tc.why, ran.Why, "%s: %+v", name, ran)
			assert.True(t, ran.IsKiiError)
			assert.Contains(t, ran.Remedy, map[bool]string{true: "connection", false: "mainhost.mjs"}[tc.why == "network"])
		}
	}
}
