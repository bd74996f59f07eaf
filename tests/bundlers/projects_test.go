package bundlers

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// entry is an entry of the package, with an app that uses it.
type entry struct {
	name   string
	app    string
	line   string // that imports it
	global string // what takes the line's place after the script tag
	script string // its form for the script tag
}

var (
	//go:embed app/index.js
	app string
	//go:embed app/compat.js
	compatApp string

	entries = []entry{
		{"kiiweb", app, `import { load } from "kiiweb";`, "const { load } = kiiweb;", "kiiweb.js"},
		{"kiiweb/compat", compatApp, `import { attach, Kii, KiiUser } from "kiiweb/compat";`, "const { attach } = kiiweb;", "compat.js"},
	}
)

// way is one way in which a project gets the library into a page.
type way struct {
	name    string
	readme  string // the heading in js/README.md whose first block is carried out: a command, or HTML for the page
	page    string // the tag that starts the app
	root    string // what a server serves, below the project
	dev     string // instead: a command of a development server, which wants its port behind that
	classic bool   // the app is no module
}

const (
	module  = `<script type="module" src="/src/index.js"></script>`
	bundle  = `<script type="module" src="/dist/index.js"></script>`
	classic = `<script src="/src/index.js"></script>`
)

var ways = []way{
	{name: "Vite", readme: "Vite", page: module, root: "dist"},
	{name: "Vite's development server", page: module, dev: "vite --host 127.0.0.1 --strictPort --port"},
	{name: "webpack 5", readme: "webpack", page: `<script src="/dist/main.js"></script>`},
	{name: "esbuild", readme: "esbuild", page: bundle},
	{name: "Rollup", readme: "Rollup", page: bundle},
	{name: "import map", readme: "Import map", page: module},
	{name: "script tag", readme: "Script tag", page: classic, classic: true},
}

// TestProjects: each way builds, with each entry, and receives a push in a worker and in the page itself.
func TestProjects(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(cloud.Root(), "docs", "package.md"))
	require.NoError(t, err)
	c := cloud.Start(t)
	browser := chrome.Start(t, chrome.Options{})
	for _, w := range ways {
		for _, e := range entries {
			t.Run(w.name+" "+e.name, func(t *testing.T) {
				began := time.Now()
				dir := project(t)
				w.make(t, dir, e)
				made := time.Since(began)
				base := w.serve(t, dir)
				for _, host := range []string{"auto", "main"} {
					receives(t, c, browser.Tab(t), base, host)
				}
				t.Logf("%s, %s: built in %.1f s, received in a worker and in the page", w.name, e.name, made.Seconds())
				assert.Contains(t, string(document), "| "+w.name+" | ", "docs/package.md has a row for it")
			})
		}
	}
}

// make writes the project's sources and does what the README says.
func (w way) make(t *testing.T, dir string, e entry) {
	t.Helper()
	head, commands := "", ""
	if w.readme != "" {
		language, block := firstBlock(t, w.readme)
		if language == "html" {
			head = strings.Replace(block, "/kiiweb.js", "/"+e.script, 1)
		} else {
			commands = block
		}
	}
	source := e.app
	if w.classic {
		source = "(async () => {\n" + strings.Replace(e.app, e.line, e.global, 1) + "})();\n"
		require.NotContains(t, source, "import ")
	}
	write(t, filepath.Join(dir, "src", "index.js"), source)
	write(t, filepath.Join(dir, "index.html"), "<!doctype html>\n<link rel=\"icon\" href=\"data:,\">\n"+head+w.page+"\n")
	if commands != "" {
		// npx would find the same programs, and ask the registry where there are none.
		run(t, dir, "sh", "-ec", regexp.MustCompile(`(?m)^npx `).ReplaceAllString(commands, ""))
	}
}

// firstBlock is the first block of code below a heading of js/README.md.
func firstBlock(t *testing.T, heading string) (language, block string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "README.md"))
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(readme), "\n### "+heading+"\n")
	require.True(t, ok, "js/README.md has no heading %q", heading)
	m := regexp.MustCompile("(?s)^[^#]*?```(\\w+)\n(.*?)```").FindStringSubmatch(section)
	require.NotNil(t, m, "js/README.md has no code below %q", heading)
	return m[1], m[2]
}

// serve gives the URL at which the project's page is.
func (w way) serve(t *testing.T, dir string) string {
	t.Helper()
	if w.dev != "" {
		words := strings.Fields(w.dev)
		return at(dir).Serve(t, words[0], words[1:]...)
	}
	// A host of its own: no cache, and no other headers than a plain server of files has.
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, w.root))))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// receives opens the page and pushes to it.
func receives(t *testing.T, c *cloud.Cloud, tab *chrome.Tab, base, host string) {
	t.Helper()
	u := c.NewUser()
	task, err := json.Marshal(map[string]any{
		"options": map[string]string{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "host": host},
		"name":    u.LoginName, "password": u.Password,
	})
	require.NoError(t, err)
	tab.Open(base + "#" + url.PathEscape(string(task)))
	var ran struct{ Host, Reason string }
	await(t, tab, "globalThis.ran", &ran)
	want := map[string]string{"auto": "worker", "main": "main"}[host]
	assert.Equal(t, want, ran.Host, ran.Reason)
	c.Push(u, map[string]any{"text": "for " + host})
	var text string
	await(t, tab, "got[0]", &text)
	assert.Equal(t, "for "+host, text)
	for _, p := range tab.Problems() {
		assert.Fail(t, "the console is not empty", "%s: %s", p.Kind, p.Text)
	}
}

// await waits until an expression is true in the page, and gives its value.
func await(t *testing.T, tab *chrome.Tab, expression string, out any) {
	t.Helper()
	err := tab.TryEval(time.Minute, `(async () => {
		for (;;) {
			const value = `+expression+`;
			if (value) return value;
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	})()`, out)
	require.NoError(t, err, "%s; the page said %v", expression, tab.Problems())
}
