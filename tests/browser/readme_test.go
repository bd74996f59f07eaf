package browser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
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

// TestTheFirstExample: that of README.md, copied into an empty page, works as it is printed
// there, but for the port, which make demo would use. It is the account's owner who logs in.
func TestTheFirstExample(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "README.md"))
	require.NoError(t, err)
	example := regexp.MustCompile("(?s)```html\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, example)
	names := regexp.MustCompile(`login\("(\w+)", "([^"]+)"\)`).FindSubmatch(example[1])
	require.NotNil(t, names, "the example logs in")

	c := cloud.Start(t)
	status, answer := c.Call("POST", "/apps/"+c.Ready.AppID+"/users", "", "application/vnd.kii.RegistrationRequest+json",
		map[string]any{"loginName": string(names[1]), "password": string(names[2])})
	require.Equal(t, http.StatusCreated, status, "%v", answer)
	const port = "http://localhost:8080/"
	require.Contains(t, string(example[1]), port)
	page := strings.ReplaceAll(string(example[1]), port, strings.TrimSuffix(c.Ready.API, "api"))

	mux := http.NewServeMux()
	mux.Handle("/kiiweb/", http.StripPrefix("/kiiweb/", http.FileServer(http.Dir(filepath.Join(cloud.Root(), "js", "dist")))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	tab := chrome.Start(t, chrome.Options{}).Tab(t)
	tab.Open(server.URL + "/")
	require.Eventually(t, func() bool { return said(tab, `hello`) }, patience, 20*time.Millisecond, "what was sent has come: %v", tab.Problems())
	require.Eventually(t, func() (given bool) {
		tab.Eval("'stopPush' in window", &given)
		return given
	}, patience, 20*time.Millisecond, "the push may come in before sendToMe is through: %v", tab.Problems())
	tab.Eval("stopPush()", nil)
	require.Eventually(t, func() bool { return said(tab, "closed REVOKED") }, patience, 20*time.Millisecond, "the state is told")
	for _, p := range tab.Problems() {
		assert.Contains(t, p.Text, "/favicon.ico")
	}
}

// said tells whether the page has logged such text.
func said(tab *chrome.Tab, text string) bool {
	for _, e := range tab.Console() {
		if e.Kind == "log" && strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

// TestTheJourneyWithCurl: that of README.md, in bash, as it is printed there.
func TestTheJourneyWithCurl(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "README.md"))
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```bash\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, block)
	const api = "http://localhost:8080/api"
	require.Contains(t, string(block[1]), "API="+api)
	c := cloud.Start(t)
	out, err := exec.Command("bash", "-euo", "pipefail", "-c", strings.Replace(string(block[1]), api, c.Ready.API, 1)).Output()
	require.NoError(t, err)
	var answers []map[string]any
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var answer map[string]any
		err := decoder.Decode(&answer)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, "%s", out)
		answers = append(answers, answer)
	}
	require.Len(t, answers, 3, "%s", out)
	assert.Contains(t, answers[0], "userID")
	assert.Contains(t, answers[1], "mqttTopic")
	assert.Contains(t, answers[2], "pushMessageID")
}
