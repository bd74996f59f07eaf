package background

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// extensionScript is what an extension does in the background. It tells the test of all that happens by
// requests, so that no DevTools keep it alive.
const extensionScript = `
const instance = crypto.randomUUID();
const tell = (what) => fetch(TELL, { method: "POST", body: JSON.stringify({ instance, ...what }) });
(async () => {
	const kii = await load(OPTIONS);
	await kii.useToken(TOKEN, { userID: USER });
	const push = await kii.startPush({ keepAlive: 40 });
	push.on("message", (m) => tell({ text: m.json().text }));
	push.on("state", ({ state, reason }) => tell({ state, reason }));
	await tell({ state: push.state, host: kii.host, reason: kii.hostReason?.code });
})().catch((error) => tell({ error: String(error), code: error.code, remedy: error.remedy }));
`

// told is one of its requests.
type told struct {
	Instance, Text, State, Host, Reason, Error, Code, Remedy string
}

// extension is an unpacked one.
type extension struct {
	t      *testing.T
	folder string
	id     string
	key    string // base64 of the public key from which Chromium takes the id

	mu   sync.Mutex
	told []told
	tell string // URL
}

func newExtension(t *testing.T) *extension {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	sum := sha256.Sum256(public)
	id := strings.Map(func(r rune) rune { // hexadecimal, with a to p for the digits
		if r <= '9' {
			return r - '0' + 'a'
		}
		return r - 'a' + 'k'
	}, hex.EncodeToString(sum[:16]))
	e := &extension{t: t, folder: t.TempDir(), id: id, key: base64.StdEncoding.EncodeToString(public)}
	server := httptest.NewServer(http.HandlerFunc(e.hear))
	t.Cleanup(server.Close)
	e.tell = server.URL + "/"
	return e
}

func (e *extension) hear(w http.ResponseWriter, r *http.Request) {
	var one told
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &one) != nil {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, one)
}

func (e *extension) all() []told {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]told{}, e.told...)
}

// await waits until the extension has told of something.
func (e *extension) await(limit time.Duration, what func(told) bool) told {
	e.t.Helper()
	var found told
	ok := assert.Eventually(e.t, func() bool {
		for _, one := range e.all() {
			if what(one) {
				found = one
				return true
			}
		}
		return false
	}, limit, tick)
	if !ok {
		require.FailNow(e.t, "the extension has not told", "%+v", e.all())
	}
	return found
}

// manifest is the one of js/README.md, for this machine's servers and with the extension's key.
func (e *extension) manifest() map[string]any {
	e.t.Helper()
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "README.md"))
	require.NoError(e.t, err)
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(readme)
	require.NotNil(e.t, block)
	var manifest map[string]any
	require.NoError(e.t, json.Unmarshal(block[1], &manifest))
	manifest["host_permissions"] = []string{"http://127.0.0.1/*", "http://localhost/*"}
	manifest["key"] = e.key
	return manifest
}

// write writes the extension, whose background script begins with head.
func (e *extension) write(c *cloud.Cloud, u cloud.User, head string, manifest map[string]any) {
	e.t.Helper()
	raw, err := json.Marshal(manifest)
	require.NoError(e.t, err)
	options, err := json.Marshal(map[string]string{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "wasmURL": "/kiiweb/kiiweb.wasm"})
	require.NoError(e.t, err)
	script := head + fill(extensionScript, "TELL", quote(e.tell), "OPTIONS", string(options), "TOKEN", quote(u.Token), "USER", quote(u.ID))
	e.put("manifest.json", raw)
	e.put("background.js", []byte(script))
	for _, name := range []string{"serviceworker.mjs", "serviceworker.js", "kiiweb.wasm"} {
		data, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "dist", name))
		require.NoError(e.t, err)
		e.put(filepath.Join("kiiweb", name), data)
	}
}

func (e *extension) put(name string, data []byte) {
	e.t.Helper()
	path := filepath.Join(e.folder, name)
	require.NoError(e.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(e.t, os.WriteFile(path, data, 0o644))
}

// load starts Chromium with it. An extension connects over TLS, also to this machine.
func (e *extension) load(c *cloud.Cloud) {
	e.t.Helper()
	chrome.Start(e.t, chrome.Options{Trust: c.CA(), Flags: map[string]any{
		"disable-extensions": false, "load-extension": e.folder, "disable-extensions-except": e.folder,
		"disable-features": "DisableLoadExtensionCommandLineSwitch",
	}})
}

// TestExtension: the service worker of an extension receives, as a module and as a classic script, and
// stays alive with its connection: Chromium ends one that does nothing for half a minute.
func TestExtension(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"module":  `import { load } from "./kiiweb/serviceworker.mjs";`,
		"classic": `importScripts("kiiweb/serviceworker.js"); const { load } = kiiweb;`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExtension(t)
			c := cloud.Start(t, "-allow-origin", "chrome-extension://"+e.id)
			u := c.NewUser()
			manifest := e.manifest()
			if name == "classic" {
				delete(manifest["background"].(map[string]any), "type")
			}
			e.write(c, u, head, manifest)
			e.load(c)
			first := e.await(2*patience, func(one told) bool { return one.State == "online" || one.Error != "" })
			require.Empty(t, first.Error, "%+v", first)
			assert.Equal(t, "main", first.Host)
			assert.Equal(t, "UNSUPPORTED", first.Reason, "there is no Worker")
			c.Push(u, map[string]any{"text": "hello"})
			e.await(patience, func(one told) bool { return one.Text == "hello" })
			if name == "module" {
				time.Sleep(45 * time.Second) // nothing but the keep alive
				c.Push(u, map[string]any{"text": "after a while"})
				second := e.await(patience, func(one told) bool { return one.Text == "after a while" })
				assert.Equal(t, first.Instance, second.Instance, "it was ended and started again")
			}
			for _, one := range e.all() {
				assert.Equal(t, first.Instance, one.Instance, "%+v", e.all())
			}
		})
	}
}

// TestTheExtensionsExample: the script of js/README.md receives, as it is printed there but for the app, the login and where it
// writes what comes.
func TestTheExtensionsExample(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "README.md"))
	require.NoError(t, err)
	example := regexp.MustCompile("(?s)```js\n(// background.js.*?)```").FindSubmatch(readme)
	require.NotNil(t, example)
	e := newExtension(t)
	c := cloud.Start(t, "-allow-origin", "chrome-extension://"+e.id)
	u := c.NewUser()
	e.write(c, u, "", e.manifest())
	script := string(example[1])
	for was, is := range map[string]string{
		`appID: "…", appKey: "…", site: "JP"`: `appID: ` + quote(c.Ready.AppID) + `, appKey: ` + quote(c.Ready.AppKey) + `, baseURL: ` + quote(c.Ready.API),
		"console.log(m.json())":               "tell({ text: m.json().text })",
		"console.error":                       "(error) => tell({ error: String(error) })",
	} {
		require.Equal(t, 1, strings.Count(script, was), "%s", was)
		script = strings.Replace(script, was, is, 1)
	}
	e.put("background.js", []byte(script+fill(`
		const login = { token: TOKEN, userID: USER };
		const tell = (what) => fetch(TELL, { method: "POST", body: JSON.stringify(what) });`,
		"TELL", quote(e.tell), "TOKEN", quote(u.Token), "USER", quote(u.ID))))
	e.load(c)
	var came told
	require.Eventually(t, func() bool {
		c.Offer(u, map[string]any{"text": "hello"}) // to nobody before it has installed
		if all := e.all(); len(all) > 0 {
			came = all[0]
		}
		return came != told{}
	}, 2*patience, time.Second)
	assert.Equal(t, told{Text: "hello"}, came)
}

// TestExtensionThatMayNotCompile: the error names what its manifest lacks.
func TestExtensionThatMayNotCompile(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{"by default": "", "by its policy": "script-src 'self'; object-src 'self'"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExtension(t)
			c := cloud.Start(t, "-allow-origin", "chrome-extension://"+e.id)
			manifest := e.manifest()
			manifest["content_security_policy"] = map[string]string{"extension_pages": policy}
			if policy == "" {
				delete(manifest, "content_security_policy")
			}
			e.write(c, c.NewUser(), `import { load } from "./kiiweb/serviceworker.mjs";`, manifest)
			e.load(c)
			first := e.await(2*patience, func(one told) bool { return one.State == "online" || one.Error != "" })
			assert.Equal(t, "WASM_LOAD", first.Code, "%+v", first)
			assert.Contains(t, first.Remedy, "wasm-unsafe-eval")
		})
	}
}
