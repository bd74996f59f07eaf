package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// TestPropertiesGoOut: what a page says beside a message is on the wire.
func TestPropertiesGoOut(t *testing.T) { onEachHost(t, propertiesGoOut) }

func propertiesGoOut(t *testing.T, s *site) {
	p, r := s.behindRelay(s.NewUser(), far)
	p.eval(`await connection.publish("", '{"text":"hello"}', { properties: { messageExpiry: 60 } })`, nil)
	p.awaitTexts("hello")
	refused := p.rejects(`await connection.publish("", '{"text":"hello"}', { properties: {
		messageExpiry: 60, contentType: "application/json", responseTopic: "answers", correlationData: new Uint8Array([0, 255]),
		userProperties: [["k", "1"], ["k", "\u00e9"]],
	} })`)
	assert.Contains(t, refused.Message, "a push carries no property but its message expiry", "by this broker, once it has read them")
	sent := r.Sent(mqtt.PUBLISH)
	require.Len(t, sent, 2)
	packet, err := mustCodec(t).Decode(sent[1].Raw, mqtt.FromClient)
	require.NoError(t, err)
	expiry := uint32(60)
	assert.Equal(t, mqtt.Properties{MessageExpiry: &expiry, ContentType: "application/json", ResponseTopic: "answers",
		CorrelationData: []byte{0, 255}, User: []mqtt.UserProperty{{Key: "k", Value: "1"}, {Key: "k", Value: "\u00e9"}}},
		packet.(*mqtt.Publish).Properties)
	for _, properties := range []string{`{ responseTopic: "a/#" }`, `{ contentType: "\0" }`, `{ payloadFormat: 2 }`, `{ userProperties: 5 }`, `5`} {
		assert.Equal(t, "INVALID_ARGUMENT", p.rejects(`await connection.publish("", "x", { properties: `+properties+` })`).Code, properties)
	}
}
