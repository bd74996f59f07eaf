// Package firefox goes the main journey in Firefox ESR.
package firefox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	os.Exit(code)
}

// TestJourney: log in, install, connect over portWS, receive, uninstall; with the module in a
// worker and in the page.
func TestJourney(t *testing.T) {
	c := cloud.Start(t)
	base := site(t, nil)
	b := start(t)
	for _, host := range []string{"auto", "main"} {
		t.Run(host, func(t *testing.T) {
			u := c.NewUser()
			b.t = t
			b.open(base)
			options, err := json.Marshal(map[string]string{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "host": host})
			assert.NoError(t, err)
			var place string
			b.eval(`
				const { load } = await import("/kiiweb/kiiweb.mjs");
				globalThis.kii = await load(`+string(options)+`);
				await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
				globalThis.installation = await kii.installMqtt(false);
				const endpoint = await kii.getMqttEndpoint(installation.installationID);
				globalThis.connection = await kii.connect(endpoint, { transport: "ws" });
				globalThis.messages = connection[Symbol.asyncIterator]();
				return kii.host;`, &place)
			assert.Equal(t, map[string]string{"auto": "worker", "main": "main"}[host], place)

			c.Push(u, map[string]any{"text": "to Firefox"})
			var got struct {
				Text  string
				QoS   int
				State string
			}
			b.eval(`const { value } = await messages.next(); return { text: value.json().text, qos: value.qos, state: connection.state }`, &got)
			assert.Equal(t, "to Firefox", got.Text)
			assert.Equal(t, 1, got.QoS)
			assert.Equal(t, "online", got.State)

			var end struct{ State, Code string }
			b.eval(`
				const ended = new Promise((resolve) => connection.on("state", resolve));
				await kii.uninstall(installation.installationRegistrationID, "MQTT");
				const { state, code } = await ended;
				await kii.dispose();
				return { state, code };`, &end)
			assert.Equal(t, "closed", end.State)
			assert.Equal(t, "REVOKED", end.Code)
		})
	}
	var agent string
	b.t = t
	b.eval("return navigator.userAgent", &agent)
	t.Log(agent)
}

// site serves an empty page, js/dist, and the scripts, by path.
func site(t *testing.T, scripts map[string]string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/kiiweb/", http.StripPrefix("/kiiweb/", http.FileServer(http.Dir(filepath.Join(cloud.Root(), "js", "dist")))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>page</title>"))
	})
	for path, script := range scripts {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(script))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
