package interop

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// deviation is what a broker cannot do, or must not, in some scenarios.
type deviation struct {
	broker    string
	protocols []int  // the protocol levels, none for all
	platform  string // "" for all
	scenarios []string
	want      outcome
	why       string
}

// old are the protocol levels of MQTT 3.x.
var old = []int{4, 3}

// deviations say what is expected instead of yes. The first that fits counts.
var deviations = slices.Concat(everywhere(), []deviation{
	{localCloud, []int{5}, "", []string{"a further subscription, and its end"}, outcome(kiiweb.CodeUnsupported),
		"The cloud gives everybody one topic, and refuses wildcards."},
	{localCloud, []int{5}, "", []string{"UTF-8 topic"}, outcome(kiiweb.CodeForbidden),
		"The cloud gives everybody one topic, and refuses every other."},
	{localCloud, old, "", []string{"a further subscription, and its end", "UTF-8 topic"}, outcome(kiiweb.CodeServerError),
		"The cloud gives everybody one topic, and refuses every other; SUBACK of MQTT 3.x has one code for all refusals."},
	{localCloud, nil, "", []string{"QoS 2 in"}, "QoS 1", "The cloud delivers at QoS 1 at most: repeats are told apart by the pushMessageID."},
	{localCloud, []int{5}, "", []string{"QoS 2 out", "retained out"}, outcome(kiiweb.CodeUnsupported),
		"The cloud says in CONNACK that it takes no QoS 2 and nothing retained, and our client does not try."},
	{localCloud, old, onChromium, []string{"1 MiB out"}, outcome(kiiweb.CodePacketTooLarge),
		"A push has at most 4,096 bytes: the cloud says so when it closes the WebSocket."},
	{localCloud, old, "", []string{"QoS 2 out", "retained out", "1 MiB out"}, outcome(kiiweb.CodeUnsupported),
		"The cloud refuses it by closing the connection, for MQTT 3.x has no other way. The third time our client gives the message up, and goes on without it."},
	{localCloud, nil, "", []string{"retained in", "empty payload in"}, notOffered,
		"A push is a JSON object, and is not retained."},
	{localCloud, nil, "", []string{"1 MiB in"}, "REQUEST_TOO_LARGE", "A push has at most 4,096 bytes: the sender is told."},
	{localCloud, []int{5}, "", []string{"1 MiB out"}, outcome(kiiweb.CodePacketTooLarge),
		"A push has at most 4,096 bytes: the cloud announces its limit, and our client does not try."},
	{rabbitMQ, nil, "", []string{"QoS 2 in", "QoS 2 out"}, "QoS 1", "RabbitMQ 3.x delivers at QoS 1 at most."},
})

// everywhere are the outcomes that are another than yes by their nature.
func everywhere() []deviation {
	const best = "protocol level, when none is asked for"
	why := "The best that the broker speaks: 5, or 4 for MQTT 3.1.1."
	list := []deviation{
		{localCloud, nil, "", []string{best}, "5", why},
		{mosquitto, nil, "", []string{best}, "5", why},
	}
	for _, broker := range []string{nats, aedes, rabbitMQ} {
		list = append(list, deviation{broker, nil, "", []string{best}, "4", why})
	}
	for _, b := range starts {
		list = append(list, deviation{b.broker, nil, "", []string{"wrong password"}, outcome(kiiweb.CodeBadCredentials),
			"The code with which connect fails at once."})
	}
	return list
}

// expected gives the outcome that a scenario has in a column, and why it is not yes
// where it is another.
func expected(c column, scenario string) (want outcome, why string) {
	for _, d := range deviations {
		if d.fits(c) && slices.Contains(d.scenarios, scenario) {
			return d.want, d.why
		}
	}
	return yes, ""
}

func (d deviation) fits(c column) bool {
	return d.broker == c.broker && (len(d.protocols) == 0 || slices.Contains(d.protocols, c.protocol)) &&
		(d.platform == "" || d.platform == c.platform)
}

// TestDeviationsAreOfThisTable: a renamed scenario or broker leaves none behind.
func TestDeviationsAreOfThisTable(t *testing.T) {
	for _, d := range deviations {
		assert.True(t, slices.ContainsFunc(columns, d.fits), "no column is that of %+v", d)
		for _, name := range d.scenarios {
			assert.True(t, slices.ContainsFunc(scenarios, func(x scenario) bool { return x.name == name }), "there is no scenario %s", name)
		}
	}
}
