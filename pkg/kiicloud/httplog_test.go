package kiicloud

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
)

func TestAPanicInThePageIsLoggedAndAFailedHandshakeIsNot(t *testing.T) {
	var out syncbuf.Buffer
	s := start(t, t.TempDir(), func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&out, nil))
		c.Page = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	})
	_, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ready().PortWSS)), nil)
	require.Error(t, err, "nobody trusts the local CA")
	_, err = newClient(t, s.Ready().CA).Get(s.Ready().HTTPS + "/")
	require.Error(t, err)
	assert.Contains(t, out.String(), "on purpose")
	assert.Contains(t, out.String(), "level=ERROR")
	assert.NotContains(t, out.String(), "TLS handshake")
}
