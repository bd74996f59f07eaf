// Package examples runs js/examples as their README says, against the local cloud.
package examples

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/nodejs"
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	os.Exit(code)
}

func examples(env ...string) nodejs.Place {
	dir := filepath.Join(cloud.Root(), "js", "examples")
	return nodejs.Place{Dir: dir, Packages: dir, Env: env}
}

// count keeps account of the workers that a page makes and ends, and of the lives that the hook of the React
// example begins and ends, each of which has an AbortController.
const count = `globalThis.alive = globalThis.made = globalThis.mounted = globalThis.unmounted = 0;
	globalThis.Worker = class extends Worker {
		constructor(...args) { super(...args); alive++; made++ }
		terminate() { super.terminate(); alive-- }
	};
	globalThis.AbortController = class extends AbortController {
		#life = new Error().stack.match(/https?:.*/)?.[0].includes("/usePush.js"); // by who made it
		constructor() { super(); if (this.#life) mounted++ }
		abort(reason) { super.abort(reason); if (this.#life) unmounted++ }
	}`

// connects tells how many CONNECT packets the cloud has let in.
func connects(t *testing.T, c *cloud.Cloud) int {
	t.Helper()
	response, err := http.Get(strings.TrimSuffix(c.Ready.API, "/api") + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^kiicloud_mqtt_connects_total (\d+)$`).FindSubmatch(text)
	require.NotNil(t, found, "%s", text)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return n
}

// TestPages: log in, receive what others send and what the page sends, stop.
func TestPages(t *testing.T) {
	c := cloud.Start(t)
	browser := chrome.Start(t, chrome.Options{})
	for _, name := range []string{"vanilla", "react", "vue"} {
		t.Run(name, func(t *testing.T) {
			base := examples("VITE_KII_URL="+c.Ready.API).Serve(t, "npm", "run", "--silent", name, "--", "--host", "127.0.0.1", "--strictPort", "--port")
			tab := browser.Tab(t)
			tab.Run(chromedp.ActionFunc(func(ctx context.Context) error {
				_, err := page.AddScriptToEvaluateOnNewDocument(count).Do(ctx)
				return err
			}))
			u := c.NewUser()
			tab.Open(base)
			before, replaced := logIn(t, c, tab, u)
			assert.Equal(t, 1, connects(t, c)-before, "CONNECT packets")
			if name == "react" { // StrictMode mounts each component, unmounts it, and mounts it again
				assert.Equal(t, 2, number(tab, "mounted"))
				assert.Equal(t, 1, number(tab, "unmounted"))
			}
			assert.Equal(t, 1, number(tab, "alive"), "workers; the page made %d", number(tab, "made"))

			c.Push(u, map[string]any{"text": "from elsewhere"})
			await(t, tab, items+`.join() === "from elsewhere"`)
			tab.Run(chromedp.Click("#send", chromedp.ByQuery))
			await(t, tab, items+`.length === 2 && `+items+`[1].startsWith("hello")`)

			tab.Run(chromedp.Click("#stop", chromedp.ByQuery))
			await(t, tab, "alive === 0")
			assert.Empty(t, tab.Problems()[replaced:])
		})
	}
}

const items = `Array.from(document.querySelectorAll("#messages li"), (item) => item.textContent)`

// logIn fills the form in, and again when Vite has loaded the page anew meanwhile: it does when
// it finds a package late that it has to prepare. It gives how many connections there had been before, and how many
// problems the pages had that were replaced so: what those ask for is not there any more.
func logIn(t *testing.T, c *cloud.Cloud, tab *chrome.Tab, u cloud.User) (before, replaced int) {
	t.Helper()
	const online = `document.querySelector("#state")?.textContent === "online"`
	for range 3 {
		await(t, tab, `document.querySelector("[name=name]")`)
		tab.Eval("globalThis.samePage = true", nil)
		before = connects(t, c)
		err := tab.TryRun(
			chromedp.SendKeys("[name=name]", u.LoginName, chromedp.ByQuery),
			chromedp.SendKeys("[name=password]", u.Password, chromedp.ByQuery),
			chromedp.Click("form button", chromedp.ByQuery),
		)
		t.Log("filled in:", err)
		await(t, tab, online+" || !globalThis.samePage")
		var there bool
		tab.Eval(online, &there)
		if there {
			return before, replaced
		}
		replaced = len(tab.Problems())
	}
	require.FailNow(t, "the page is loaded again and again")
	return 0, 0
}

func number(tab *chrome.Tab, expression string) (n int) {
	tab.Eval(expression, &n)
	return n
}

// await waits until an expression is true in the page, also across reloads.
func await(t *testing.T, tab *chrome.Tab, expression string) {
	t.Helper()
	var last string
	ok := assert.Eventually(t, func() bool {
		var truth bool
		if err := tab.TryEval(10*time.Second, "!!("+expression+")", &truth); err != nil {
			last = err.Error()
		}
		return truth
	}, time.Minute, 20*time.Millisecond)
	if !ok {
		var text string
		_ = tab.TryEval(10*time.Second, "document.body.innerText", &text)
		require.FailNow(t, "the page does not get there", "%s %s\n%s\n%v", expression, last, text, strconv.Quote(text))
	}
}
