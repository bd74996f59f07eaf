package kiiweb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNew(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		base   string
	}{
		{"US", Config{AppID: "a", AppKey: "k", Site: SiteUS}, "https://api.kii.com/api"},
		{"JP", Config{AppID: "a", AppKey: "k", Site: SiteJP}, "https://api-jp.kii.com/api"},
		{"SG", Config{AppID: "a", AppKey: "k", Site: SiteSG}, "https://api-sg.kii.com/api"},
		{"EU", Config{AppID: "a", AppKey: "k", Site: SiteEU}, "https://api-eu.kii.com/api"},
		{"own", Config{AppID: "a", AppKey: "k", BaseURL: "https://push.example/api/"}, "https://push.example/api"},
		{"loopback name", Config{AppID: "a", AppKey: "k", BaseURL: "http://kii.localhost:8080/api"}, "http://kii.localhost:8080/api"},
		{"loopback IPv6", Config{AppID: "a", AppKey: "k", BaseURL: "http://[::1]:8080"}, "http://[::1]:8080"},
		{"allowed", Config{AppID: "a", AppKey: "k", BaseURL: "http://push.example", AllowInsecure: true}, "http://push.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, err := New(c.config)
			require.NoError(t, err)
			assert.Equal(t, c.base, client.base)
			_, ok := client.Current()
			assert.False(t, ok)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		code   Code
		says   string
	}{
		{"no app", Config{AppKey: "k", Site: SiteJP}, CodeInvalidArgument, "AppID"},
		{"dot app", Config{AppID: "..", AppKey: "k", Site: SiteJP}, CodeInvalidArgument, "AppID"},
		{"no key", Config{AppID: "a", Site: SiteJP}, CodeInvalidArgument, "AppKey"},
		{"header injection", Config{AppID: "a", AppKey: "k\r\nX: y", Site: SiteJP}, CodeInvalidArgument, "AppKey"},
		{"key not ASCII", Config{AppID: "a", AppKey: "\u00e4", Site: SiteJP}, CodeInvalidArgument, "AppKey"},
		{"nowhere", Config{AppID: "a", AppKey: "k"}, CodeInvalidArgument, "Site or BaseURL"},
		{"both", Config{AppID: "a", AppKey: "k", Site: SiteJP, BaseURL: "https://h.example"}, CodeInvalidArgument, "both"},
		{"unknown site", Config{AppID: "a", AppKey: "k", Site: "jp"}, CodeInvalidArgument, "US, JP, SG and EU"},
		{"no URL", Config{AppID: "a", AppKey: "k", BaseURL: "push.example"}, CodeInvalidArgument, "BaseURL"},
		{"insecure", Config{AppID: "a", AppKey: "k", BaseURL: "http://push.example"}, CodeInsecure, "push.example"},
		{"looks like loopback", Config{AppID: "a", AppKey: "k", BaseURL: "http://127.0.0.1.example"}, CodeInsecure, "http://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.config)
			require.Error(t, err)
			assert.Equal(t, c.code, CodeOf(err))
			assert.Contains(t, err.Error(), c.says)
		})
	}
}
