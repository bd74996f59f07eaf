package compat

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// receivers connect with what getMqttEndpoint gave, as Kii's guide says, and put what arrives into
// globalThis.received.
var receivers = map[string]struct{ script, connect string }{
	"Paho": {pahoScript, `
		const client = new Paho.Client(endpoint.host, endpoint.portWS, "/mqtt", endpoint.mqttTopic);
		client.onMessageArrived = (m) => received.push(JSON.parse(m.payloadString));
		await new Promise((onSuccess, onFailure) => client.connect({ userName: endpoint.username, password: endpoint.password, onSuccess, onFailure }));
		await new Promise((onSuccess, onFailure) => client.subscribe(endpoint.mqttTopic, { onSuccess, onFailure }));`},
	"MQTT.js": {mqttScript, `
		const client = mqtt.connect("ws://" + endpoint.host + ":" + endpoint.portWS + "/mqtt",
			{ clientId: endpoint.mqttTopic, username: endpoint.username, password: endpoint.password });
		client.on("message", (topic, payload) => received.push(JSON.parse(payload.toString())));
		await new Promise((resolve, reject) => client.on("connect", resolve).on("error", reject));
		await client.subscribeAsync(endpoint.mqttTopic);`},
	"kiiweb": {compatScript, `
		const kii = await kiiweb.attach(KiiUser.getCurrentUser());
		const connection = await kii.connect(endpoint);
		connection.on("message", (m) => received.push(m.json()));`},
}

func TestConnectWithAnyClient(t *testing.T) {
	r := newRelay(t)
	b := chrome.Start(t, chrome.Options{})
	for name, receiver := range receivers {
		t.Run(name, func(t *testing.T) {
			tab := r.open(t, b, compatScript, receiver.script)
			loggedIn(t, r, tab)
			eval(tab, `
				globalThis.received = [];
				const user = KiiUser.getCurrentUser();
				const push = user.pushInstallation();
				const { installationID } = await push.installMqtt(false);
				const endpoint = await push.getMqttEndpoint(installationID);
				`+receiver.connect+`
				const topic = user.topicWithName("news");
				await topic.save();
				await user.pushSubscription().subscribe(topic);
				await topic.sendMessage(new KiiPushMessageBuilder({ text: "hello", n: 7 }).build());`, nil)
			require.Eventually(t, func() bool {
				var n int
				tab.Eval("received.length", &n)
				return n > 0
			}, patience, 20*time.Millisecond)
			var got []map[string]any
			tab.Eval("received", &got)
			require.Len(t, got, 1)
			assert.Equal(t, "hello", got[0]["text"])
			assert.InDelta(t, 7, got[0]["n"], 0)
			tab.AssertQuiet()
		})
	}
}
