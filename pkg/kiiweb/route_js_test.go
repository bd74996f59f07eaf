package kiiweb

import (
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at runs f as if the page had come from there.
func at(t *testing.T, protocol, hostname string, f func()) {
	before := js.Global().Get("location")
	js.Global().Set("location", map[string]any{"protocol": protocol, "hostname": hostname})
	t.Cleanup(func() { js.Global().Set("location", before) })
	f()
}

func TestRouteBrowser(t *testing.T) {
	withoutWS := endpointAt("localhost")
	withoutWS.PortWS = 0
	for _, c := range []struct {
		name, protocol, page string
		endpoint             Endpoint
		want                 string
	}{
		{"secure page", "https:", "app.example", endpointAt("push.example"), "wss://push.example:443/mqtt"},
		{"secure page at home", "https:", "localhost", endpointAt("localhost"), "wss://localhost:443/mqtt"},
		{"page at home, broker at home", "http:", "localhost", endpointAt("localhost"), "ws://localhost:80/mqtt"},
		{"page at ::1", "http:", "[::1]", endpointAt("127.0.0.1"), "ws://127.0.0.1:80/mqtt"},
		{"page at home, broker abroad", "http:", "localhost", endpointAt("push.example"), "wss://push.example:443/mqtt"},
		{"page abroad, broker at home", "http:", "app.example", endpointAt("localhost"), "wss://localhost:443/mqtt"},
		{"no portWS", "http:", "localhost", withoutWS, "wss://localhost:443/mqtt"},
		{"file", "file:", "", endpointAt("localhost"), "wss://localhost:443/mqtt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at(t, c.protocol, c.page, func() {
				url, err := route{"", "/mqtt", false}.url(c.endpoint)
				require.NoError(t, err)
				assert.Equal(t, c.want, url)
			})
		})
	}
	for _, transport := range []Transport{TransportSSL, TransportTCP} {
		_, err := route{transport, "/mqtt", false}.url(endpointAt("localhost"))
		assert.Equal(t, CodeUnsupported, CodeOf(err))
	}
}
