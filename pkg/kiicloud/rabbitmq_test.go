package kiicloud

import (
	"context"
	"encoding/pem"
	"flag"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
)

// away is the address of a RabbitMQ that is not there.
const away = "rabbitmq://kii:hush-hush@127.0.0.1:1/?management=http://127.0.0.1:1"

func TestEngineFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want rabbitmq.Ports
		why  string
	}{
		{[]string{"-engine", away}, DefaultEnginePorts, ""},
		{[]string{"-engine", away, "-engine-ports", "wss=15676, ssl=8883"}, rabbitmq.Ports{SSL: 8883, WSS: 15676}, ""},
		{[]string{"-engine-ports", "http=80"}, rabbitmq.Ports{}, "tcp=port"},
		{[]string{"-engine-ports", "tcp=0"}, rabbitmq.Ports{}, "tcp=port"},
		{[]string{"-engine-ports", "tcp=65536"}, rabbitmq.Ports{}, "tcp=port"},
		{[]string{"-engine", "amqp://kii:hush-hush@host"}, rabbitmq.Ports{}, "not known"},
		{[]string{"-engine", "rabbitmq://kii:hush-hush@host?x=y"}, rabbitmq.Ports{}, "not an option"},
		{[]string{"-engine", away, "-store", "postgres://kii@host/kii"}, rabbitmq.Ports{}, "-secret-file"},
	} {
		var cfg Config
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		cfg.RegisterFlags(fs)
		err := fs.Parse(c.args)
		if err == nil {
			cfg = cfg.withDefaults()
			err = cfg.check()
		}
		if c.why != "" {
			require.ErrorContains(t, err, c.why, "%v", c.args)
			assert.NotContains(t, err.Error(), "hush")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.want, cfg.EnginePorts)
		assert.Empty(t, cfg.MQTT, "RabbitMQ listens")
		assert.Equal(t, "localhost", cfg.advertised())
	}
	assert.Equal(t, "rabbit1", Config{Engine: "rabbitmq://kii:x@rabbit1:5672,rabbit2/", HTTP: "127.0.0.1:0"}.advertised())
}

// A cloud whose RabbitMQ is away starts, says so, and accepts nothing.
func TestWithoutRabbitMQ(t *testing.T) {
	var logs syncbuf.Buffer
	s, err := Start(context.Background(), Config{
		HTTP: "127.0.0.1:0", DataDir: t.TempDir(), Engine: away, EngineToken: "open-sesame",
		Logger: slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	base := s.Ready().HTTP
	get := func(path string, header ...string) (int, string) {
		req, err := http.NewRequest("GET", base+path, nil)
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(b)
	}
	status, _ := get("/healthz")
	assert.Equal(t, 200, status)
	status, _ = get("/readyz")
	assert.Equal(t, 503, status)
	status, _ = get("/mqtt")
	assert.Equal(t, 404, status)
	_, metrics := get("/metrics")
	assert.Contains(t, metrics, "kiicloud_pushes_unconfirmed_total 0")
	assert.NotContains(t, metrics, "kiicloud_mqtt_connections", "those are RabbitMQ's to count")

	// Who may ask.
	status, _ = get("/rabbitmq/user")
	assert.Equal(t, 405, status, "a program of this machine")
	status, _ = get("/rabbitmq/user", "X-Forwarded-For", "192.0.2.1")
	assert.Equal(t, 403, status, "somebody behind a proxy")
	status, _ = get("/rabbitmq/user?token=wrong", "X-Forwarded-For", "192.0.2.1")
	assert.Equal(t, 403, status)
	status, _ = get("/rabbitmq/user?token=open-sesame", "X-Forwarded-For", "192.0.2.1")
	assert.Equal(t, 405, status)
	res, err := http.PostForm(base+"/rabbitmq/user", url.Values{"username": {"x"}, "client_id": {"y"}, "vhost": {"/"}, "password": {"z"}})
	require.NoError(t, err)
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, "deny", string(answer))

	require.NoError(t, s.Shutdown(context.Background()))
	text := logs.String()
	assert.Contains(t, text, "RabbitMQ")
	for _, hidden := range []string{"hush-hush", "open-sesame"} {
		assert.False(t, strings.Contains(text, hidden), "the log has a secret")
	}
}

// A cloud that cannot trust RabbitMQ does not start, and says what to do.
func TestRabbitMQThatCannotBeTrusted(t *testing.T) {
	node := httptest.NewUnstartedServer(http.NotFoundHandler())
	node.Config.ErrorLog = log.New(io.Discard, "", 0)
	node.StartTLS()
	t.Cleanup(node.Close)
	at := strings.TrimPrefix(node.URL, "https://")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: node.Certificate().Raw}), 0o600))
	for options, remedy := range map[string]string{
		"":                     "cacertfile=",
		"&cacertfile=/nowhere": "open /nowhere",
		"&cacertfile=" + ca + "&server_name_indication=rabbit.invalid": "server_name_indication=",
	} {
		_, err := Start(context.Background(), Config{
			HTTP: "127.0.0.1:0", DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
			Engine: "rabbitmqs://kii:hush-hush@" + at + "/?management=" + node.URL + options,
		})
		require.ErrorContains(t, err, remedy)
		require.ErrorContains(t, err, "-engine")
		require.NotContains(t, err.Error(), "hush-hush")
	}
}
