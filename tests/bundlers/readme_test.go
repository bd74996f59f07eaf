package bundlers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// TestTheFirstExamples: those with which js/README.md begins work as they are printed there, but for the app, the
// account, and pauses before the lines that end what was begun.
func TestTheFirstExamples(t *testing.T) {
	c := cloud.Start(t)
	u := c.NewUser()
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "README.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```js\n(.*?)```").FindAllStringSubmatch(string(readme), 2)
	require.Len(t, blocks, 2)
	options, err := json.Marshal(map[string]string{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API})
	require.NoError(t, err)

	const goodbye = "await kii.dispose();"
	script := strings.Replace(blocks[0][1], goodbye, blocks[1][1]+goodbye, 1)
	for from, to := range map[string]string{
		`{ appID: "…", appKey: "…", site: "JP" }`: string(options),
		`"alice", "a long enough password"`:       quote(u.LoginName) + ", " + quote(u.Password),
		"await push.stop()":                       `await pause("received"); await push.stop()`,
		goodbye:                                   `await pause("stopped"); ` + goodbye + ` globalThis.at = "disposed"; `,
	} {
		require.Equal(t, 1, strings.Count(script, from), "%s in\n%s", from, script)
		script = strings.Replace(script, from, to, 1)
	}
	dir := project(t)
	_, head := firstBlock(t, "Import map")
	write(t, filepath.Join(dir, "src", "index.js"), "const pause = (at) => new Promise((go) => Object.assign(globalThis, { at, go }));\n"+script)
	write(t, filepath.Join(dir, "index.html"), "<!doctype html>\n<link rel=\"icon\" href=\"data:,\">\n"+head+module+"\n")

	tab := chrome.Start(t, chrome.Options{}).Tab(t)
	tab.Open(way{}.serve(t, dir))
	at := func(want string) { await(t, tab, "globalThis.at === "+quote(want), new(bool)) }
	at("received")
	c.Push(u, map[string]any{"text": "as printed"})
	require.Eventually(t, func() bool { return logged(tab, "as printed") == 2 }, patience, tick, "once by the connection and once by push: %v", tab.Console())
	tab.Eval("go()", nil)
	at("stopped")
	tab.Eval("go()", nil)
	at("disposed")
	assert.Positive(t, logged(tab, "closed"), "the state is told")
	assert.Empty(t, tab.Problems())
}

// logged counts what the page has logged with such text.
func logged(tab *chrome.Tab, text string) (n int) {
	for _, e := range tab.Console() {
		if e.Kind == "log" && strings.Contains(e.Text, text) {
			n++
		}
	}
	return n
}
