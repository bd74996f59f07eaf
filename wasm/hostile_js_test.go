package main

import (
	"strconv"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrong are values that no argument of any method may be. Several throw wherever
// JavaScript lets them.
var wrong = map[string]string{
	"NaN":                    `NaN`,
	"infinity":               `-Infinity`,
	"a huge number":          `1.7976931348623157e308`,
	"a negative zero":        `-0`,
	"a BigInt":               `10n ** 100n`,
	"a symbol":               `Symbol("s")`,
	"a well-known symbol":    `Symbol.iterator`,
	"a function":             `() => { throw new Error("called"); }`,
	"a class":                `class { static get appID() { throw new Error("read"); } }`,
	"an array":               `[[], {}]`,
	"a cyclic array":         `(() => { const a = []; a.push(a); return a; })()`,
	"a date":                 `new Date(NaN)`,
	"a map":                  `new Map([["appID", "x"]])`,
	"a typed array":          `new Float64Array(3)`,
	"bytes":                  `new Uint8Array(3)`,
	"a detached buffer":      `(() => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return b; })()`,
	"a view of detached":     `(() => { const b = new ArrayBuffer(8); const v = new Uint8Array(b); structuredClone(b, { transfer: [b] }); return v; })()`,
	"a revoked proxy":        `(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()`,
	"a revoked function":     `(() => { const p = Proxy.revocable(() => {}, {}); p.revoke(); return p.proxy; })()`,
	"a promise":              `Promise.resolve({})`,
	"a rejecting promise":    `(() => { const p = Promise.reject(1); p.catch(() => {}); return p; })()`,
	"an error":               `new TypeError("x")`,
	"a regular expression":   `/x/g`,
	"a String object":        `new String("text")`,
	"a Number object":        `new Number(1)`,
	"an object with a liar":  `({ get [Symbol.toStringTag]() { throw new Error("tag"); } })`,
	"a module-like object":   `Object.assign(Object.create(null), { [Symbol.toStringTag]: "Module" })`,
	"the global object":      `globalThis`,
	"an empty proxy of a fn": `new Proxy(function () {}, { apply() { throw new Error("applied"); }, get() { throw new Error("got"); } })`,
}

// trap are objects that pass for plain and throw when they are read.
var trap = map[string]string{
	"a proxy that throws": `new Proxy({}, { get(t, k) { if (k === Symbol.toStringTag) return undefined; throw new RangeError("boom"); },
		ownKeys() { throw new RangeError("boom"); }, getOwnPropertyDescriptor() { throw new RangeError("boom"); } })`,
	"a proxy that throws its proxy": `(() => { const p = new Proxy({}, { get(t, k) { if (k === Symbol.toStringTag) return undefined; throw p; } }); return p; })()`,
	"getters that throw": `Object.defineProperties({}, Object.fromEntries(["appID", "appKey", "site", "baseURL", "userID", "thingID", "username",
		"password", "mqttTopic", "host", "installationID", "name", "data", "gcm", "signal", "timeout", "keepAlive", "onMessage", "qos"].map(
			(name) => [name, { enumerable: true, get() { throw null; } }])))`,
	"a long chain of proxies": `(() => { let p = { timeout: 200, userID: 7 }; for (let i = 0; i < 1000; i++) p = new Proxy(p, {}); return p; })()`,
}

// signature is a method with arguments that are right.
type signature struct {
	name string
	args []string // JavaScript; the options follow
}

var signatures = []signature{
	{"init", []string{`{ appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" }`}},
	{"create", []string{`{ appID: "a", appKey: "k", site: "JP" }`}},
	{"register", []string{`"name"`, `"password"`}},
	{"login", []string{`"name"`, `"password"`}},
	{"registerThing", []string{`"vendor"`, `"password"`}},
	{"loginAsThing", []string{`"vendor"`, `"password"`}},
	{"useToken", []string{`"token"`, `{ userID: "u" }`}},
	{"logout", nil},
	{"installMqtt", []string{`true`}},
	{"getMqttEndpoint", []string{`"id"`}},
	{"uninstall", []string{`"id"`, `"MQTT"`}},
	{"uninstallByInstallationID", []string{`"id"`}},
	{"sendToMe", []string{`{ data: { text: "hello" } }`}},
	{"createTopic", []string{`"news"`}},
	{"deleteTopic", []string{`{ name: "news", userID: "me" }`}},
	{"topicExists", []string{`{ name: "news", thingID: "t" }`}},
	{"listTopics", []string{`{ userID: "u" }`, `"key"`}},
	{"subscribe", []string{`"news"`}},
	{"unsubscribe", []string{`"news"`}},
	{"isSubscribed", []string{`"news"`}},
	{"sendToTopic", []string{`"news"`, `{ data: { text: "hello" } }`}},
	{"connect", []string{`{ username: "u", password: "p", mqttTopic: "t", host: "127.0.0.1", portWS: 1 }`}},
}

// call calls the method with all arguments, argument number at replaced by value.
func (s signature) call(t *testing.T, kiiweb js.Value, at int, value string) js.Value {
	args := make([]any, 0, len(s.args)+1)
	for _, a := range s.args {
		args = append(args, eval(t, a))
	}
	args = append(args, eval(t, `{ timeout: 5000 }`))
	args[at] = eval(t, value)
	return kiiweb.Call(s.name, args...)
}

func TestAWrongArgumentRejects(t *testing.T) {
	kiiweb := startApp(t)
	for _, s := range signatures {
		for at := range len(s.args) + 1 {
			for name, value := range wrong {
				t.Run(s.name+"/"+strconv.Itoa(at)+"/"+name, func(t *testing.T) {
					e, code := settle(t, s.call(t, kiiweb, at, value))
					require.Equal(t, "INVALID_ARGUMENT", code, "%s", e.Get("message").String())
				})
			}
		}
	}
	_, code := settle(t, kiiweb.Call("logout"))
	assert.Empty(t, code, "the program still answers")
}

// Where an object is wanted, one that throws when it is read must not get through, and
// must not get further than the promise.
func TestAnObjectThatThrowsRejects(t *testing.T) {
	kiiweb := startApp(t)
	for _, s := range signatures {
		for at := range len(s.args) + 1 {
			for name, value := range trap {
				t.Run(s.name+"/"+strconv.Itoa(at)+"/"+name, func(t *testing.T) {
					_, code := settle(t, s.call(t, kiiweb, at, value))
					require.NotEqual(t, "CRASHED", code)
					if at < len(s.args) {
						require.Equal(t, "INVALID_ARGUMENT", code)
					}
				})
			}
		}
	}
	_, code := settle(t, kiiweb.Call("logout"))
	assert.Empty(t, code, "the program still answers")
}

func TestEveryMethodIsTried(t *testing.T) {
	tried := map[string]int{}
	for _, s := range signatures {
		tried[s.name] = len(s.args)
	}
	for _, m := range clientMethods {
		assert.Contains(t, tried, m.name)
		assert.Equal(t, m.arity, tried[m.name], m.name)
	}
}

func TestTooFewArgumentsReject(t *testing.T) {
	kiiweb := startApp(t)
	for _, s := range signatures {
		if len(s.args) == 0 || s.name == "listTopics" { // whose arguments may all be absent
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			_, code := settle(t, kiiweb.Call(s.name))
			assert.Equal(t, "INVALID_ARGUMENT", code)
		})
	}
}
