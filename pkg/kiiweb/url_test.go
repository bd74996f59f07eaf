package kiiweb

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseBaseURL(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"Kii", "https://api-jp.kii.com/api", "https://api-jp.kii.com/api"},
		{"local", "http://localhost:8080/api", "http://localhost:8080/api"},
		{"slashes at the end", "https://h.example/api//", "https://h.example/api"},
		{"no path", "https://h.example", "https://h.example"},
		{"upper case", "HTTPS://H.Example/API", "https://h.example/API"},
		{"IPv4", "http://127.0.0.1:80/api", "http://127.0.0.1:80/api"},
		{"IPv6", "http://[::1]:8080/api", "http://[::1]:8080/api"},
		{"IPv6 without port", "https://[2001:db8::7]", "https://[2001:db8::7]"},
		{"root label", "https://h.example./api", "https://h.example./api"},
		{"escaped path", "https://h.example/a%20b/c", "https://h.example/a%20b/c"},
		{"underscore", "http://my_host/api", "http://my_host/api"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := parseBaseURL(c.in)
			require.NoError(t, err)
			assert.Equal(t, c.want, u.String())
		})
	}
}

func TestParseBaseURLRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, says string }{
		{"nothing", "", "https://"},
		{"no scheme", "api.kii.com/api", "https://"},
		{"other scheme", "ftp://h.example", "https://"},
		{"one slash", "https:/h.example", "https://"},
		{"space before", " https://h.example", "https://"},
		{"no host", "https:///api", "host"},
		{"user", "https://u:p@h.example/api", "user name"},
		{"at sign hides a host", "https://kii.com@evil.example", "user name"},
		{"backslash hides a host", `https://evil.example\.kii.com`, "host"},
		{"space in host", "https://h example/", "host"},
		{"international host", "https://h\u00e4.example/", "host"},
		{"empty label", "https://a..b/", "host"},
		{"long label", "https://" + strings.Repeat("a", 64) + ".example/", "host"},
		{"short IPv4", "https://127.1/", "host"},
		{"hexadecimal IPv4", "https://0x7f.0.0.1/", "host"},
		{"hexadecimal tail", "https://127.0.0.0x1/", "host"},
		{"octal IPv4", "https://127.0.0.010/", "host"},
		{"single number", "https://2130706433/", "host"},
		{"empty port", "https://h.example:/", "port"},
		{"port 0", "https://h.example:0/", "port"},
		{"large port", "https://h.example:65536/", "port"},
		{"no number", "https://h.example:+80/", "port"},
		{"two ports", "https://h.example:80:80/", "port"},
		{"open bracket", "https://[::1/api", "IPv6"},
		{"behind the bracket", "https://[::1]x/api", "IPv6"},
		{"zone", "https://[fe80::1%25eth0]/", "IPv6"},
		{"query", "https://h.example/api?x=1", "query"},
		{"query without path", "https://h.example?x=1", "host"},
		{"fragment", "https://h.example/api#x", "fragment"},
		{"dot segment", "https://h.example/api/../x", ". or .."},
		{"escaped dot segment", "https://h.example/api/%2e%2E/x", ". or .."},
		{"space in path", "https://h.example/a b", "escaped"},
		{"new line in path", "https://h.example/a\nb", "escaped"},
		{"backslash in path", `https://h.example/a\b`, "escaped"},
		{"bare percent", "https://h.example/100%", "%"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseBaseURL(c.in)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.says)
		})
	}
}

func TestEscape(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "aZ09-._~", "aZ09-._~"},
		{"slash", "a/b", "a%2Fb"},
		{"percent", "100%", "100%25"},
		{"query and fragment", "a?b#c", "a%3Fb%23c"},
		{"space and plus", "a b+c", "a%20b%2Bc"},
		{"colon", "MQTT:x", "MQTT%3Ax"},
		{"not ASCII", "\u65e5\u672c", "%E6%97%A5%E6%9C%AC"},
		{"not UTF-8", "\xff", "%FF"},
		{"control", "a\x00\n", "a%00%0A"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, escape(c.in)) })
	}
}

func TestIsIPv6(t *testing.T) {
	for host, want := range map[string]bool{
		"::": true, "::1": true, "1::": true, "2001:db8::7": true, "1:2:3:4:5:6:7:8": true, "1:2:3:4:5:6:7::": true,
		"::ffff:192.0.2.1": true, "1:2:3:4:5:6:192.0.2.1": true, "ABCD::ef01": true, "::192.0.2.1": true,
		"": false, ":": false, ":0:": false, ":::": false, "1:2:3:4:5:6:7": false, "1:2:3:4:5:6:7:8:9": false, "1:2:3:4::5:6:7:8": false,
		"1::2::3": false, "12345::": false, "g::": false, "1:": false, ":1": false, "::1:": false, "192.0.2.1::": false,
		"1:2:3:4:5:6:7:192.0.2.1": false, "::192.0.2.256": false, "::1.2.3": false, "fe80::1%eth0": false,
	} {
		t.Run(host, func(t *testing.T) {
			assert.Equal(t, want, isIPv6(host))
			_, err := netip.ParseAddr(host)
			assert.Equal(t, want || host == "fe80::1%eth0", err == nil, "%v", err)
		})
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "a.localhost": true, "127.0.0.1": true, "127.255.0.9": true,
		"::1": true, "[::1]": true,
		"": false, "localhost.example": false, "notlocalhost": false, "127.0.0.1.example": false, "127.1": false,
		"127.0.0.256": false, "127.0.0.01": false, "128.0.0.1": false, "0.0.0.0": false, "::2": false,
		"127.evil.example": false, "127.0.0.1.5": false,
	} {
		t.Run(host, func(t *testing.T) { assert.Equal(t, want, isLoopback(host)) })
	}
}

// What parseBaseURL lets through names the same host to whoever reads it again.
func FuzzParseBaseURL(f *testing.F) {
	for _, s := range []string{"https://api.kii.com/api", "http://[::1]:80/a%20b", "http://127.0.0.1", "https://a@b", "https://%41/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseBaseURL(s)
		if err != nil {
			return
		}
		again, err := parseBaseURL(u.String())
		require.NoError(t, err)
		assert.Equal(t, u, again)
		checkAgainstStandard(t, u)
	})
}
