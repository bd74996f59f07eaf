package main

import (
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

func TestAChangeTellsWhatTheBrokerSaid(t *testing.T) {
	text := func(c kiiweb.Change) string {
		return js.Global().Get("JSON").Call("stringify", changeToJS(c)["broker"]).String()
	}
	assert.JSONEq(t, `{"protocol":4,"sessionPresent":false,"keepAlive":60}`,
		text(kiiweb.Change{State: kiiweb.StateOnline, Broker: &kiiweb.Broker{Protocol: 4, KeepAlive: 60}}))
	assert.JSONEq(t, `{"protocol":5,"sessionPresent":true,"keepAlive":17,"assignedClientID":"given","serverReference":"other",
		"reasonString":"welcome","userProperties":[["a","1"],["a","2"]]}`,
		text(kiiweb.Change{State: kiiweb.StateOnline, Broker: &kiiweb.Broker{
			Protocol: 5, SessionPresent: true, KeepAlive: 17, AssignedClientID: "given", ServerReference: "other", ReasonString: "welcome",
			User: []kiiweb.UserProperty{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}},
		}}))
	assert.JSONEq(t, `{"protocol":5,"sessionPresent":false,"keepAlive":0,"userProperties":[["\ufeff__proto__","\ufeff1"]]}`,
		text(kiiweb.Change{State: kiiweb.StateOnline, Broker: &kiiweb.Broker{
			Protocol: 5, User: []kiiweb.UserProperty{{Key: "\ufeff__proto__", Value: "\ufeff1"}},
		}}), "U+FEFF is a character like any other")
	assert.NotContains(t, changeToJS(kiiweb.Change{State: kiiweb.StateWaiting}), "broker")
}
