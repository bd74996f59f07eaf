package main

import (
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

func TestErrorsNameTheArgument(t *testing.T) {
	endpoint := `{ username: "u", password: "p", mqttTopic: "t", host: "127.0.0.1", portWS: 1 }`
	cases := []struct {
		name, method, args string // args is a JavaScript array
		message            string // contained
	}{
		{"no appID", "create", `[{ appKey: "k", site: "JP" }]`, "config.appID must be a string, but is undefined"},
		{"no cloud", "create", `[{ appID: "a", appKey: "k" }]`, "Site or BaseURL is missing"},
		{"no such region", "create", `[{ appID: "a", appKey: "k", site: "XX" }]`, "Site XX is unknown"},
		{"a getToken that is none", "create", `[{ appID: "a", appKey: "k", site: "JP", getToken: "t" }]`, "config.getToken must be a function"},
		{"an empty name", "login", `["", "p"]`, "username must not be empty"},
		{"no password", "login", `["u"]`, "password must be a string, but is undefined"},
		{"development as text", "installMqtt", `["true"]`, "development must be true or false, but is a string"},
		{"an empty id", "getMqttEndpoint", `[""]`, "installationID must not be empty"},
		{"another device type", "uninstall", `["id", "ANDROID"]`, "deviceType ANDROID"},
		{"two owners", "useToken", `["t", { userID: "u", thingID: "t" }]`, "one of userID and thingID"},
		{"no owner in it", "useToken", `["t", {}]`, "one of userID and thingID"},
		{"a port too high", "connect", `[{ ...` + endpoint + `, portWSS: 65536 }]`, "endpoint.portWSS must be a whole number from 0 to 65535"},
		{"half a port", "connect", `[{ ...` + endpoint + `, portWSS: 0.5 }]`, "endpoint.portWSS"},
		{"no topic", "connect", `[{ username: "u", password: "p", host: "h" }]`, "endpoint.mqttTopic must be a string"},
		{"keep alive off", "connect", `[` + endpoint + `, { keepAlive: 0 }]`, "options.keepAlive must be a whole number from 1 to 65535"},
		{"qos 3", "connect", `[` + endpoint + `, { qos: 3 }]`, "options.qos must be a whole number from 0 to 2"},
		{"displacement on", "connect", `[` + endpoint + `, { displacement: "on" }]`, "displacement must be off"},
		{"user properties as an object", "connect", `[` + endpoint + `, { userProperties: { a: "b" } }]`, "options.userProperties must be an array of pairs of strings"},
		{"half a user property", "connect", `[` + endpoint + `, { userProperties: [["a", "b"], ["c"]] }]`, "options.userProperties must be an array of pairs of strings"},
		{"a user property that is a number", "connect", `[` + endpoint + `, { userProperties: [["a", 1]] }]`, "options.userProperties must be an array of pairs of strings"},
		{"a queue for nobody", "connect", `[` + endpoint + `, { maxQueue: 0 }]`, "options.maxQueue must be a whole number from 1 to"},
		{"protocol 6", "connect", `[` + endpoint + `, { protocol: 6 }]`, "options.protocol must be a whole number from 3 to 5"},
		{"a callback that is none", "connect", `[` + endpoint + `, { onMessage: "f" }]`, "options.onMessage must be a function"},
		{"a path without slash", "connect", `[` + endpoint + `, { path: "mqtt" }]`, "path"},
		{"no time", "logout", `[{ timeout: 0 }]`, "options.timeout must be a whole number from 1 to"},
		{"a signal that is none", "logout", `[{ signal: {} }]`, "options.signal must be an AbortSignal"},
		{"a message without data", "sendToMe", `[{}]`, "data is missing"},
		{"data that is an array", "sendToMe", `[{ data: [] }]`, "message.data must be an object"},
		{"cyclic data", "sendToMe", `(() => { const data = {}; data.self = data; return [{ data }]; })()`, "message.data must be a value that JSON can hold"},
		{"data with a BigInt", "sendToMe", `[{ data: { n: 1n } }]`, "message.data must be a value that JSON can hold"},
		{"data that turns into text", "sendToMe", `[{ data: { toJSON() { return "text"; } } }]`, "message.data must be an object"},
		{"no vendor's id", "registerThing", `["", "p"]`, "vendorThingID must not be empty"},
		{"a thing without password", "loginAsThing", `["v"]`, "password must be a string, but is undefined"},
		{"no topic", "createTopic", `[]`, "topic must be a string, or an object with a name"},
		{"a topic without name", "deleteTopic", `[{ userID: "me" }]`, "topic.name must be a string, but is undefined"},
		{"an empty topic", "topicExists", `[""]`, "topic must not be empty"},
		{"a name too long", "subscribe", `["n".repeat(65)]`, "1 to 64"},
		{"a topic with a slash", "unsubscribe", `[{ name: "a/b" }]`, "characters"},
		{"a topic of two", "isSubscribed", `[{ name: "n", userID: "u", thingID: "t" }]`, "not both"},
		{"a topic of an empty user", "isSubscribed", `[{ name: "n", userID: "" }]`, "topic.userID must not be empty"},
		{"a scope that is a name", "listTopics", `["news"]`, "scope must be an object, but is a string"},
		{"a key that is a number", "listTopics", `[{}, 7]`, "paginationKey must be a string"},
		{"a topic and no message", "sendToTopic", `["news"]`, "message must be an object"},
		{"a topic and nothing to send", "sendToTopic", `["news", {}]`, "data is missing"},
		{"a method that is none", "as", `[null, "connect", 1, 2]`, "no method connect"},
		{"a method without name", "as", `[null]`, "method must be a string"},
		{"a login without owner", "as", `[{ token: "t" }, "installMqtt", true, undefined]`, "one of userID and thingID"},
		{"a login that is none", "as", `["t", "installMqtt", true, undefined]`, "login must be an object"},
		{"a method's own arguments", "as", `[{ token: "t", userID: "u" }, "installMqtt", "true", undefined]`, "development must be true or false"},
		{"a request without method", "ask", `[{ action: "x", path: ["a"] }]`, "request.method must be a string"},
		{"a path with a number", "ask", `[{ action: "x", method: "GET", path: ["a", 1] }]`, "a part of the path must not be null or empty"},
		{"a path that leads upwards", "ask", `[{ action: "x", method: "GET", path: ["a", ".."] }]`, "must not be . or .."},
		{"nested data", "sendToMe", `[{ data: { a: { b: 1 } } }]`, "flat"},
	}
	kiiweb := startApp(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, code := settle(t, apply(t, kiiweb, c.method, c.args))
			require.Equal(t, "INVALID_ARGUMENT", code, e.Get("message").String())
			assert.Contains(t, e.Get("message").String(), c.message)
			assert.False(t, e.Get("retryable").Bool())
		})
	}
}

func TestCallsThatAreRightGetFurther(t *testing.T) {
	secure := `{ username: "u", password: "p", mqttTopic: "t", host: "broker.example", portWS: 1 }`
	cases := []struct{ name, method, args, code string }{
		{"a cloud that is away", "login", `["name", "password"]`, "NETWORK"},
		{"options without anything", "login", `["name", "password", {}]`, "NETWORK"},
		{"options of null", "login", `["name", "password", { signal: null, timeout: undefined }]`, "NETWORK"},
		{"nobody logged in", "installMqtt", `[false]`, "NOT_LOGGED_IN"},
		{"a topic's name", "createTopic", `["news"]`, "NOT_LOGGED_IN"},
		{"a user's topic", "subscribe", `[{ name: "news", userID: "me", thingID: undefined }]`, "NOT_LOGGED_IN"},
		{"all topics", "listTopics", `[]`, "NOT_LOGGED_IN"},
		{"all topics, with nulls", "listTopics", `[null, null, null]`, "NOT_LOGGED_IN"},
		{"nobody's call", "as", `[null, "installMqtt", true, undefined]`, "NOT_LOGGED_IN"},
		{"somebody's call", "as", `[{ token: "t", userID: "u" }, "installMqtt", true, undefined]`, "NETWORK"},
		{"a request", "ask", `[{ action: "x", method: "GET", path: ["a"] }]`, "NETWORK"},
		{"a message to a topic", "sendToTopic", `[{ name: "news", thingID: "t" }, { data: {} }]`, "NOT_LOGGED_IN"},
		{"a signal that has aborted", "login", `["name", "password", { signal: AbortSignal.abort() }]`, "ABORTED"},
		{"a thing's token", "useToken", `["token", { thingID: "t" }]`, ""},
		{"more arguments than needed", "logout", `[{}, 1, "two", Symbol()]`, ""},
		{"http to another machine", "create", `[{ appID: "a", appKey: "k", baseURL: "http://cloud.example/api" }]`, "INSECURE"},
		{"site as a URL", "create", `[{ appID: "a", appKey: "k", site: "http://127.0.0.1:1/api" }]`, ""},
		{"user properties for it", "connect", `[` + secure + `, { transport: "ws", userProperties: [["a", ""]] }]`, "INSECURE"},
		{"an insecure broker", "connect", `[` + secure + `, { transport: "ws" }]`, "INSECURE"},
		{"a transport of other platforms", "connect", `[{ ...` + secure + `, portSSL: 1 }, { transport: "ssl" }]`, "UNSUPPORTED"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, code := settle(t, apply(t, startApp(t), c.method, c.args))
			if code != "" {
				assert.Equal(t, "KiiError", e.Get("name").String())
			}
			assert.Equal(t, c.code, code)
		})
	}
}

func TestEveryCallHasATime(t *testing.T) {
	for _, options := range []string{`undefined`, `null`, `({})`, `({ signal: new AbortController().signal })`} {
		before := time.Now()
		ctx, cancel, err := callContext(eval(t, options))
		require.NoError(t, err)
		at, ok := ctx.Deadline()
		cancel()
		require.True(t, ok, options)
		assert.WithinRange(t, at, before.Add(kiiweb.DefaultTimeout), time.Now().Add(kiiweb.DefaultTimeout))
	}
}

func TestTheClientBeforeInit(t *testing.T) {
	kiiweb := newApp().global()
	e, code := settle(t, kiiweb.Call("login", "name", "password"))
	assert.Equal(t, "INVALID_ARGUMENT", code)
	assert.Contains(t, e.Get("message").String(), "init")
	assert.Regexp(t, `^\d+\.\d+\.\d+`, kiiweb.Get("version").String())
}

func TestClientsAreApart(t *testing.T) {
	kiiweb := startApp(t)
	other, code := settle(t, apply(t, kiiweb, "create", `[{ appID: "b", appKey: "k", site: "US" }]`))
	require.Empty(t, code)
	_, code = settle(t, apply(t, other, "useToken", `["token", { userID: "u" }]`))
	require.Empty(t, code)
	_, code = settle(t, apply(t, kiiweb, "installMqtt", `[true]`))
	assert.Equal(t, "NOT_LOGGED_IN", code, "the login is the other client's")
	assert.True(t, other.Get("init").IsUndefined())
}

func TestFunctionsWorkWithoutTheirObject(t *testing.T) {
	login := startApp(t).Get("useToken")
	v, code := settle(t, login.Invoke("token", eval(t, `{ thingID: "t" }`)))
	require.Empty(t, code)
	assert.Equal(t, `{"thingID":"t","token":"token"}`, sortedJSON(t, v))
}

// The names that are there; types_native_test.go holds the table against the types.
func TestTheExportsAreThoseOfTheTable(t *testing.T) {
	keys := js.Global().Get("Object").Call("keys", newApp().global())
	var names []string
	for i := range keys.Length() {
		names = append(names, keys.Index(i).String())
	}
	want := []string{"init", "create", "version", "connect", "wake", "pause"}
	for _, m := range append(clientMethods[:], compatMethods[:]...) {
		want = append(want, m.name)
	}
	assert.ElementsMatch(t, want, names)
}

func apply(t *testing.T, object js.Value, method, args string) js.Value {
	t.Helper()
	return js.Global().Get("Reflect").Call("apply", object.Get(method), object, eval(t, args))
}

func sortedJSON(t *testing.T, v js.Value) string {
	t.Helper()
	parsed, err := jsx.JSON("value", v)
	require.NoError(t, err)
	text, err := jsx.StringifyJSON(parsed)
	require.NoError(t, err)
	return string(text)
}
