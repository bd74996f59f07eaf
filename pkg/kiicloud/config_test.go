package kiicloud

import (
	"flag"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFlagsFillTheConfig(t *testing.T) {
	var c Config
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.RegisterFlags(fs)
	require.NoError(t, fs.Parse([]string{
		"-http", "127.0.0.1:0", "-app", "one:k1", "-app", "two:k:2", "-admin", "id:s", "-allow-origin", "https://a.example",
		"-endpoint-delay", "3s", "-mqtt-ttl", "1h", "-token-ttl", "2h",
	}))
	assert.Equal(t, []App{{ID: "one", Key: "k1"}, {ID: "two", Key: "k:2"}}, c.Apps)
	assert.Equal(t, []Admin{{ClientID: "id", Secret: "s"}}, c.Admins)
	assert.Equal(t, []string{"https://a.example"}, c.AllowOrigins)
	assert.Equal(t, 3*time.Second, c.EndpointDelay)
	assert.Equal(t, "127.0.0.1:8443", c.HTTPS)
	assert.NoError(t, c.withDefaults().check())

	assert.Error(t, fs.Parse([]string{"-app", "nokey"}))
	assert.Error(t, fs.Parse([]string{"-admin", ":x"}))
}

func TestConfigThatCannotWorkIsExplained(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no address for the API":       {func(c *Config) { c.HTTP = "" }, "out of reach"},
		"certificate without its key":  {func(c *Config) { c.TLSCert = "x" }, "go together"},
		"unknown store":                {func(c *Config) { c.Store = "mysql://u:secret@h/db" }, `"mysql://…" is not known`},
		"unknown engine":               {func(c *Config) { c.Engine = "rabbit" }, "embedded"},
		"negative delay":               {func(c *Config) { c.EndpointDelay = -1 }, "-endpoint-delay"},
		"fewer connections than none":  {func(c *Config) { c.MaxConnections = -1 }, "-limit-connections -1"},
		"the same from one address":    {func(c *Config) { c.MaxConnectionsByAddress = -1 }, "-limit-connections-address -1"},
		"endless MQTT password":        {func(c *Config) { c.MQTTTTL = DefaultMQTTTTL + time.Second }, "-mqtt-ttl"},
		"MQTT password in fractions":   {func(c *Config) { c.MQTTTTL = 1500 * time.Millisecond }, "whole seconds"},
		"app id with a percent sign":   {func(c *Config) { c.Apps = []App{{ID: "a%b", Key: "k"}} }, "-app"},
		"app without a key":            {func(c *Config) { c.Apps = []App{{ID: "a"}} }, "-app"},
		"admin id with a percent sign": {func(c *Config) { c.Admins = []Admin{{ClientID: "a%b", Secret: "s"}} }, "-admin"},
		"admin without a secret":       {func(c *Config) { c.Admins = []Admin{{ClientID: "a"}} }, "-admin"},
		"app twice":                    {func(c *Config) { c.Apps = []App{{ID: "a", Key: "k"}, {ID: "a", Key: "l"}} }, "twice"},
		"origin with a path":           {func(c *Config) { c.AllowOrigins = []string{"https://a.example/"} }, "not an origin"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Config{HTTP: "127.0.0.1:0"}
			tc.change(&c)
			err := c.withDefaults().check()
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "secret@")
		})
	}
}

func TestOriginPolicy(t *testing.T) {
	loopback := Config{HTTP: "127.0.0.1:8080", MQTT: "localhost:1883"}
	open := Config{HTTP: "0.0.0.0:8080"}
	proxied := Config{HTTP: "127.0.0.1:8080", Host: "cloud.example"}
	listed := Config{HTTP: "127.0.0.1:8080", AllowOrigins: []string{"https://app.example"}}
	advertised := Config{HTTP: "0.0.0.0:8080", Host: "cloud.example", AllowOrigins: []string{"https://app.example"}}
	for name, tc := range map[string]struct {
		c      Config
		origin string
		want   bool
	}{
		"loopback: another port":              {loopback, "http://localhost:3000", true},
		"loopback: by address":                {loopback, "http://127.0.0.1:5173", true},
		"loopback: IPv6":                      {loopback, "http://[::1]:5173", true},
		"loopback: a foreign page":            {loopback, "https://evil.example", false},
		"loopback: a name that looks like it": {loopback, "http://localhost.evil.example", false},
		"loopback: a name made to point here": {loopback, "http://cloud.example:8080", false},
		"loopback: a sandboxed page":          {loopback, "null", false},
		"loopback: a browser extension":       {loopback, "chrome-extension://abc", false},
		"behind a proxy: its own page":        {proxied, "http://cloud.example:8080", true},
		"behind a proxy: another port":        {proxied, "http://cloud.example:3000", false},
		"behind a proxy: a foreign page":      {proxied, "https://evil.example", false},
		"open: the same host":                 {open, "http://cloud.example:8080", true},
		"open: the same host, other port":     {open, "http://cloud.example:3000", false},
		"open: a loopback page":               {open, "http://localhost:3000", false},
		"listed: it":                          {listed, "https://app.example", true},
		"listed: another":                     {listed, "http://localhost:3000", false},
		"listed: a name that points here":     {listed, "http://cloud.example:8080", false},
		"listed: the cloud's own page":        {advertised, "http://cloud.example:8080", true},
		"listed: its host, another port":      {advertised, "http://cloud.example:3000", false},
		"any":                                 {Config{AllowOrigins: []string{"*"}}, "https://x.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://cloud.example:8080/api", nil)
			r.Header.Set("Origin", tc.origin)
			assert.Equal(t, tc.want, tc.c.originPolicy()(r))
		})
	}
}

func TestAdvertisedHost(t *testing.T) {
	for name, tc := range map[string]struct {
		c    Config
		want string
	}{
		"configured":       {Config{Host: "push.example", HTTPS: "127.0.0.1:1"}, "push.example"},
		"loopback":         {Config{HTTPS: "127.0.0.1:1"}, "localhost"},
		"every address":    {Config{HTTP: "0.0.0.0:1"}, "localhost"},
		"no host":          {Config{HTTP: ":1"}, "localhost"},
		"a certain host":   {Config{HTTPS: "push.example:443"}, "push.example"},
		"a certain number": {Config{MQTT: "192.0.2.1:1883"}, "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, tc.c.advertised()) })
	}
}
