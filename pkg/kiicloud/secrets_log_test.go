package kiicloud

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// Whatever clients do, in the right way or the wrong one, no log at any level holds what would let
// a reader in, or what was said.
func TestNoSecretIsLogged(t *testing.T) {
	onEachStore(t, func(t *testing.T, change func(*Config)) {
		var log syncbuf.Buffer
		s := start(t, t.TempDir(), change, func(c *Config) {
			c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c.Admins = []Admin{{ClientID: "root", Secret: "secret-of-the-administrator"}}
			c.Apps = []App{{ID: "demo", Key: "demo-key"}, {ID: "other", Key: "secret-key-of-other"}}
			c.MetricsToken = "secret-token-for-metrics"
		})
		r := s.Ready()
		p := newcomer(t, r, "alice")
		api := func(method, path, token, body string) map[string]any {
			_, out := call(t, p.client, method, r.API+path, token, body)
			return out
		}
		const app = "/apps/demo"
		for _, body := range []string{
			`{"username":"alice","password":"wrong-secret-password"}`,
			`{"client_id":"root","client_secret":"wrong-secret-of-the-administrator"}`,
			`{"client_id":"root","client_secret":"secret-of-the-administrator"}`,
			`{"username":"alice","password":"half-a-secret`,
			`{"username":["alice"],"password":"secret-in-a-wrong-type","expiresAt":"x"}`,
		} {
			api("POST", "/oauth2/token", "", body)
		}
		api("GET", app+"/users/me?access_token=secret-in-a-query", "wrong-secret-token", "")
		api("GET", app+"/nowhere/secret-in-a-path", p.token, "")
		thing := api("POST", app+"/things", "", `{"_vendorThingID":"lamp","_password":"secret-of-a-thing"}`)
		require.NotEmpty(t, thing["_thingID"])
		again := api("POST", app+"/users", "", `{"loginName":"alice","password":"secret-of-a-namesake"}`)
		require.Equal(t, "USER_ALREADY_EXISTS", again["errorCode"])
		api("PUT", app+"/users/me/password", p.token, `{"oldPassword":"wrong-old-secret","newPassword":"new-secret-password"}`)
		api("PUT", app+"/users/me/password", p.token, `{"oldPassword":"password-of-alice","newPassword":"new-secret-password"}`)
		api("POST", app+"/users/me/push/messages", p.token, `{"data":{"m":"secret-message"},"mqtt":{"enabled":true}}`)
		api("POST", app+"/users/me/push/messages", p.token, `{"data":{"m":{"nested":"secret-that-is-refused"}}}`)
		api("POST", app+"/users/me/buckets/notes/objects", p.token, `{"note":"secret-note"}`)

		c := p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)
		assert.Equal(t, "secret-message", received(t, c))
		topic := p.end["mqttTopic"].(string)
		c.Send(guardtest.Publish(mqtt.V5, 2, 7, topic, nil, `secret-own-message`))
		c.Send(guardtest.Publish(mqtt.V5, 2, 8, "secret/foreign/topic", nil, `secret-foreign-message`))
		c.Send(guardtest.Frame(0xF7, []byte("secret-rubbish"))) // ends the connection
		for pkt := c.Next(); pkt.Type() != mqtt.DISCONNECT; pkt = c.Next() {
		}
		bad := guardtest.DialTCP(t, mqtt.V311, p.port("portTCP"))
		bad.Send(guardtest.Connect(mqtt.V311, guardtest.Hello{ClientID: topic, Username: p.id, Password: "wrong-secret-mqtt-password"}))
		require.NotEqual(t, mqtt.Success, bad.Expect(mqtt.CONNACK).Code())
		look(t, r.HTTP+"/metrics", "Host", "elsewhere.example.com", "Authorization", "Bearer wrong-secret-for-metrics")
		look(t, r.HTTP+"/metrics", "Authorization", "Bearer secret-token-for-metrics")
		res, err := http.Get(r.HTTP + "/mqtt?token=secret-for-a-socket")
		require.NoError(t, err)
		res.Body.Close()
		stop(t, s)

		text := log.String()
		assert.Greater(t, strings.Count(text, "\n"), 15, "the journey is in the log")
		for _, secret := range []string{"secret", p.token, p.end["password"].(string), "password-of-alice", "demo-key"} {
			if i := strings.Index(text, secret); i >= 0 {
				assert.Fail(t, "a secret is logged", "%s in …%s", secret, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	})
}
