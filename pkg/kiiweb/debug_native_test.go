//go:build !js

package kiiweb

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
)

// Debug hears of states, packets by type and size, and causes, and of nothing that is secret.
func TestDebugTellsWhatHappensAndNoSecrets(t *testing.T) {
	const password, payload = "SECRET-PASSWORD", "SECRET-PAYLOAD"
	log := &syncbuf.Buffer{}
	b := startBroker(t)
	s := serve(t)
	c := s.client()
	c.config.Debug = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})).Debug
	e := b.endpoint()
	e.Password = password
	conn := connect(t, c, e, ConnectOptions{})
	b.next()
	require.NoError(t, conn.Publish(t.Context(), Message{Topic: "topic-2", Payload: []byte(payload)}))
	require.NoError(t, conn.Close(t.Context()))
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "state=closed") }, time.Minute, time.Millisecond, "changes are told one after the other")
	text := log.String()
	for _, want := range []string{"msg=dial url=tcp://", `msg="packet sent" type=CONNECT bytes=`, `msg="packet received" type=CONNACK bytes=`,
		`msg="packet sent" type=SUBSCRIBE`, `type=SUBACK`, `msg="packet sent" type=PUBLISH`, "msg=state state=online", "msg=state state=closed"} {
		require.Contains(t, text, want)
	}
	for _, secret := range []string{password, payload} {
		require.NotContains(t, text, secret)
	}
}
