//go:build !js

package kiiweb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRouteNative(t *testing.T) {
	withoutSSL := endpointAt("push.example")
	withoutSSL.PortSSL = 0
	for _, c := range []struct {
		name     string
		endpoint Endpoint
		route    route
		want     string
	}{
		{"default", endpointAt("push.example"), route{"", "/mqtt", false}, "ssl://push.example:8883"},
		{"default without ssl", withoutSSL, route{"", "/mqtt", false}, "wss://push.example:443/mqtt"},
		{"tcp at home", endpointAt("127.0.0.1"), route{TransportTCP, "/mqtt", false}, "tcp://127.0.0.1:1883"},
		{"ssl to IPv6", endpointAt("::1"), route{TransportSSL, "/mqtt", false}, "ssl://[::1]:8883"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, err := c.route.url(c.endpoint)
			require.NoError(t, err)
			assert.Equal(t, c.want, url)
		})
	}
	t.Run("never plain by default", func(t *testing.T) {
		_, err := route{"", "/mqtt", true}.url(Endpoint{Host: "localhost", PortTCP: 1883, PortWS: 80})
		assert.Equal(t, CodeInvalidArgument, CodeOf(err))
	})
	t.Run("tcp abroad", func(t *testing.T) {
		_, err := route{TransportTCP, "/mqtt", false}.url(endpointAt("192.168.0.1"))
		assert.Equal(t, CodeInsecure, CodeOf(err))
	})
}
