package rabbitmq

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// BenchmarkQuestions measures what a node's questions about a connection cost this side: the handler
// alone, and over HTTP, with connections that are kept and with one for each question.
func BenchmarkQuestions(b *testing.B) {
	ctx := context.Background()
	s, err := store.OpenSQLite(ctx, store.Options{Dir: b.TempDir()})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	inst, _, err := s.Install(ctx, store.Installation{Owner: store.Owner{AppID: "app", Kind: store.OwnerUser, ID: "u"}, DeviceType: "MQTT"})
	require.NoError(b, err)
	credentials, err := engine.NewCredentials([]byte("0123456789abcdef0123456789abcdef"))
	require.NoError(b, err)
	auth := &Auth{Installations: s, Endings: s, Credentials: credentials, VHost: "/", Logger: slog.New(slog.DiscardHandler)}
	question := url.Values{"username": {inst.ID}, "password": {credentials.Issue(inst.ID, inst.Topic, 20*365*24*time.Hour)},
		"client_id": {inst.Topic}, "vhost": {"/"}}.Encode()
	b.Run("handler", func(b *testing.B) {
		for b.Loop() {
			r := httptest.NewRequest("POST", "/rabbitmq/user", strings.NewReader(question))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			auth.ServeHTTP(w, r)
			require.True(b, strings.HasPrefix(w.Body.String(), "allow"), w.Body.String())
		}
	})
	for name, once := range map[string]bool{"kept": false, "closed": true} {
		b.Run("over HTTP, "+name, func(b *testing.B) {
			server := httptest.NewServer(auth)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: once}}
			defer client.CloseIdleConnections()
			for b.Loop() {
				res, err := client.Post(server.URL+"/rabbitmq/user", "application/x-www-form-urlencoded", strings.NewReader(question))
				require.NoError(b, err)
				_, _ = io.Copy(io.Discard, res.Body)
				require.NoError(b, res.Body.Close())
			}
		})
	}
}
