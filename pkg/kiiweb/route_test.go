package kiiweb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func endpointAt(host string) Endpoint {
	return Endpoint{Username: "u", Password: "p", MQTTTopic: "t", Host: host, PortTCP: 1883, PortSSL: 8883, PortWS: 80, PortWSS: 443}
}

func TestRoute(t *testing.T) {
	for _, c := range []struct {
		name, host string
		route      route
		want       string
	}{
		{"wss", "push.example", route{TransportWSS, "/mqtt", false}, "wss://push.example:443/mqtt"},
		{"another path", "push.example", route{TransportWSS, "/a/b%20c", false}, "wss://push.example:443/a/b%20c"},
		{"ws at home", "localhost", route{TransportWS, "/mqtt", false}, "ws://localhost:80/mqtt"},
		{"ws allowed", "push.example", route{TransportWS, "/mqtt", true}, "ws://push.example:80/mqtt"},
		{"IPv6", "2001:db8::1", route{TransportWSS, "/mqtt", false}, "wss://[2001:db8::1]:443/mqtt"},
		{"IPv6 in brackets", "[::1]", route{TransportWS, "/mqtt", false}, "ws://[::1]:80/mqtt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, err := c.route.url(endpointAt(c.host))
			require.NoError(t, err)
			assert.Equal(t, c.want, url)
		})
	}
}

func TestRouteRefuses(t *testing.T) {
	without := endpointAt("localhost")
	without.PortWS = 0
	for _, c := range []struct {
		name     string
		endpoint Endpoint
		route    route
		code     Code
	}{
		{"ws abroad", endpointAt("push.example"), route{TransportWS, "/mqtt", false}, CodeInsecure},
		{"ws to what looks like home", endpointAt("localhost.example"), route{TransportWS, "/mqtt", false}, CodeInsecure},
		{"no such port", without, route{TransportWS, "/mqtt", false}, CodeInvalidArgument},
		{"no such transport", endpointAt("localhost"), route{"quic", "/mqtt", false}, CodeInvalidArgument},
		{"host with a path", endpointAt("a/b"), route{TransportWSS, "/mqtt", false}, CodeInvalidArgument},
		{"host with a user", endpointAt("a@b"), route{TransportWSS, "/mqtt", false}, CodeInvalidArgument},
		{"no host", endpointAt(""), route{TransportWSS, "/mqtt", false}, CodeInvalidArgument},
		{"nowhere to go", Endpoint{Host: "localhost"}, route{"", "/mqtt", false}, CodeInvalidArgument},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.route.url(c.endpoint)
			require.Error(t, err)
			assert.Equal(t, c.code, CodeOf(err))
		})
	}
}

func TestCheckWebSocketPath(t *testing.T) {
	for path, ok := range map[string]bool{
		"/": true, "/mqtt": true, "/a/b%2Fc": true,
		"": false, "mqtt": false, "/a b": false, "/a?b=c": false, "/a#b": false, "/../x": false, "/%zz": false,
	} {
		t.Run(path, func(t *testing.T) { assert.Equal(t, ok, checkWebSocketPath(path) == nil) })
	}
}
