package kiicloud

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// A thing that is disabled, because it was stolen, say, receives nothing any more: its
// connection ends, and the MQTT password that it has lets it in no more. What is pushed to it
// waits until it is enabled.
func TestADisabledThingReceivesNothing(t *testing.T) {
	r := start(t, t.TempDir()).Ready()
	p := &someone{t: t, client: newClient(t, r.CA), app: r.API + "/apps/demo"}
	ok := func(want int, method, path, token, body string) map[string]any {
		t.Helper()
		status, answer := call(t, p.client, method, path, token, body)
		require.Equal(t, want, status, "%v", answer)
		return answer
	}
	admin := ok(200, "POST", r.API+"/oauth2/token", "", `{"client_id":"`+r.ClientID+`","client_secret":"`+r.ClientSecret+`"}`)["access_token"].(string)
	thing := p.app + "/things/" + ok(201, "POST", p.app+"/things", "", `{"_vendorThingID":"box","_password":"password-of-box"}`)["_thingID"].(string)
	logIn := func() {
		p.token = ok(200, "POST", r.API+"/oauth2/token", "", `{"username":"VENDOR_THING_ID:box","password":"password-of-box"}`)["access_token"].(string)
	}
	logIn()
	p.id = ok(201, "POST", p.app+"/installations", p.token, `{"deviceType":"MQTT"}`)["installationID"].(string)
	p.fetchEndpoint()
	connected := p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)

	ok(204, "PUT", thing+"/status", admin, `{"disabled":true}`)
	assert.Equal(t, mqtt.AdministrativeAction, connected.Expect(mqtt.DISCONNECT).Code())
	connected.ExpectClosed()
	again := guardtest.DialTCP(t, mqtt.V5, p.port("portTCP"))
	again.Send(guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: p.end["mqttTopic"].(string), Username: p.end["username"].(string), Password: p.end["password"].(string), KeepAlive: 60}))
	assert.Equal(t, mqtt.NotAuthorized, again.Expect(mqtt.CONNACK).Code())
	again.ExpectClosed()
	ok(201, "POST", thing+"/push/messages", admin, `{"data":{"m":"later"},"mqtt":{"enabled":true}}`)

	ok(204, "PUT", thing+"/status", admin, `{"disabled":false}`)
	logIn()
	p.fetchEndpoint()
	assert.Equal(t, "later", received(t, p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)))
}
