package transport

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScheme(t *testing.T) {
	cases := map[string]string{
		"ws://host/mqtt":        "ws",
		"WSS://host:443/":       "wss",
		"https://host":          "https",
		"https://host/p?q=a@b":  "https",
		"tcp://[::1]:1883":      "tcp",
		"":                      "",
		"host":                  "",
		"http:/host":            "",
		"http://":               "",
		"http:///path":          "",
		"http://?q":             "",
		"http://user@host/":     "",
		"http://user:pw@host/":  "",
		"http://ho st/":         "",
		"javascript://%0aalert": "javascript",
	}
	for url, want := range cases {
		assert.Equal(t, want, scheme(url), url)
	}
}

func TestShownHidesSecrets(t *testing.T) {
	cases := map[string]string{
		"https://host/path?token=secret": "https://host/path",
		"https://host/path#secret":       "https://host/path",
		"https://user:secret@host/":      "(a URL with a user name)",
		"https://host/":                  "https://host/",
	}
	for url, want := range cases {
		assert.Equal(t, want, shown(url))
	}
}

func TestCloseErrorText(t *testing.T) {
	assert.Equal(t, "connection closed", (&CloseError{}).Error())
	assert.Equal(t, "connection closed with code 4001 (enough)", (&CloseError{Code: 4001, Reason: "enough"}).Error())
	assert.Equal(t, "connection closed with code 1006: end", (&CloseError{Code: 1006, Cause: errEnd}).Error())
	assert.ErrorIs(t, &CloseError{Cause: errEnd}, errEnd)
}
