//go:build linux

// Package contract_test puts the RabbitMQ engine to the contract of engines, and to what only it can meet,
// with one node of RabbitMQ 4.
package contract_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/enginetest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/tests/cluster/rabbitnode"
)

var secret = []byte(strings.Repeat("s", engine.MinSecret))

// broker is a node whose questions about clients go to whichever engine is the current one.
type broker struct {
	*rabbitnode.Node
	ca   authority // of its listeners with TLS
	auth atomic.Pointer[rabbitmq.Auth]
}

func start(t testing.TB) *broker {
	b := &broker{ca: newAuthority(t)}
	ask := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := b.auth.Load(); a != nil {
			a.ServeHTTP(w, r)
			return
		}
		http.Error(w, "no engine yet", http.StatusServiceUnavailable)
	}))
	t.Cleanup(ask.Close)
	b.Node = rabbitnode.Start(t, 1, rabbitnode.Conf{Config: rabbitnode.Shipped(t, ask.URL), Each: b.secure(t)})[0]
	// No more than docs/rabbitmq.md says that the engine's user needs.
	status, err := b.Manage(context.Background(), http.MethodPut, "/permissions/%2F/"+b.User, map[string]string{
		"configure": "^mqtt-subscription-", "write": `^(mqtt-subscription-.*|amq\.topic)$`, "read": `^amq\.topic$`}, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, status)
	return b
}

func (b *broker) address(t testing.TB, options string) rabbitmq.Address {
	a, err := rabbitmq.ParseAddress(fmt.Sprintf("rabbitmq://%s:%s@127.0.0.1:%d/?management=http://127.0.0.1:%d%s",
		b.User, b.Password, b.AMQP, b.Management, options))
	require.NoError(t, err)
	return a
}

// engine starts an engine of a cloud process, and has it answer RabbitMQ.
func (b *broker) engine(t testing.TB, st *store.SQL, options string) *rabbitmq.Engine {
	e, err := rabbitmq.New(rabbitmq.Config{
		Address: b.address(t, options), Store: st, Secret: secret, Host: "push.example", TTL: time.Hour,
		Ports: rabbitmq.Ports{TCP: 1, SSL: 2, WS: 3, WSS: 4}, Logger: slog.New(slog.NewTextHandler(testWriter{t, new(sync.Mutex)}, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, e.Shutdown(ctx))
	})
	b.auth.Store(e.Auth())
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return e.Check(ctx) == nil
	}, time.Minute, 100*time.Millisecond)
	return e
}

type testWriter struct {
	testing.TB
	*sync.Mutex
}

func (w testWriter) Write(b []byte) (int, error) {
	w.Mutex.Lock()
	defer w.Mutex.Unlock()
	w.Logf("%s", strings.TrimSpace(string(b)))
	return len(b), nil
}

func openStore(t testing.TB) *store.SQL {
	st, err := store.OpenSQLite(context.Background(), store.Options{Dir: t.TempDir(), Endings: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func contract(t *testing.T, b *broker, st *store.SQL) {
	enginetest.Contract(t, enginetest.Cloud{
		Engine: b.engine(t, st, ""), Store: st, Secret: secret,
		Expects: engine.Endpoint{Host: "push.example", PortTCP: 1, PortSSL: 2, PortWS: 3, PortWSS: 4, TTL: time.Hour},
		TCP:     fmt.Sprintf("127.0.0.1:%d", b.MQTT), WS: fmt.Sprintf("ws://127.0.0.1:%d/mqtt", b.WebMQTT),
		Traits: enginetest.Traits{},
	})
}
