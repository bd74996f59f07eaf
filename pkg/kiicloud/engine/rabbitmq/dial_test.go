package rabbitmq

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A server that speaks no TLS is named as such, and files that cannot be used are an error at the start.
func TestTLSThatCannotWork(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	_, err := Address{}.connectTCP(t.Context(), strings.TrimPrefix(plain.URL, "http://"), true)
	require.ErrorIs(t, err, ErrCertificate)
	require.ErrorContains(t, err, "listeners.ssl")

	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for option, why := range map[string]string{
		"cacertfile=/nowhere/ca.pem":               "cacertfile: open /nowhere/ca.pem",
		"cacertfile=" + empty:                      "no certificate in PEM",
		"certfile=" + empty + "&keyfile=" + empty:  "certfile and keyfile",
		"certfile=/nowhere/c.pem&keyfile=/nowhere": "certfile and keyfile",
	} {
		a, err := ParseAddress("rabbitmqs://kii:hush@rabbit?" + option)
		require.NoError(t, err)
		_, err = New(Config{Address: a, Store: newStore(), Secret: secret, Logger: slog.New(slog.DiscardHandler)})
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), "hush")
	}
}
