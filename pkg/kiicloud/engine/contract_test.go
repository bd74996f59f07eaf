package engine_test

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/enginetest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

func TestContractEmbedded(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		st, err := store.OpenSQLite(context.Background(), store.Options{Dir: t.TempDir()})
		require.NoError(t, err)
		contract(t, st)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		st, err := store.OpenPostgres(context.Background(), pgtest.Fresh(t), store.Options{})
		require.NoError(t, err)
		contract(t, st)
	})
}

func contract(t *testing.T, st *store.SQL) {
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	secret := []byte(strings.Repeat("s", engine.MinSecret))
	quiet := slog.New(slog.DiscardHandler)
	e, err := engine.NewEmbedded(engine.EmbeddedConfig{
		Queue: st, Secret: secret, Host: "push.example", TTL: time.Hour, Logger: quiet,
		Ports: func() (tcp, ssl, ws, wss int) { return 1, 2, 3, 4 },
	})
	require.NoError(t, err)

	web := httptest.NewServer(guard.WebSocket(guard.WebSocketConfig{Serve: e.Serve}))
	t.Cleanup(web.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	accepting := make(chan error, 1)
	go func() { accepting <- guard.ServeTCP(ctx, quiet, ln, e.Serve) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-accepting)
	})

	enginetest.Contract(t, enginetest.Cloud{
		Engine: e, Store: st, Secret: secret,
		Expects: engine.Endpoint{Host: "push.example", PortTCP: 1, PortSSL: 2, PortWS: 3, PortWSS: 4, TTL: time.Hour},
		TCP:     ln.Addr().String(), WS: strings.Replace(web.URL, "http", "ws", 1) + "/mqtt",
		Traits: enginetest.Traits{QoS0: true, TellsWhy: true},
	})
}
