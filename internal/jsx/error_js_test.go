package jsx

import (
	"context"
	"errors"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
)

func TestFromJS(t *testing.T) {
	cases := []struct{ name, thrown, want string }{
		{"error", `new TypeError("bad")`, "TypeError: bad"},
		{"string", `"oops"`, "oops"},
		{"undefined", `undefined`, "undefined"},
		{"number", `5`, "5"},
		{"object without text", `Object.create(null)`, "no text"},
		{"hostile", `new Proxy({}, { get() { throw 1; } })`, "no text"},
		{"throws itself", `(() => { const p = new Proxy({}, { get() { throw p; } }); return p; })()`, "no text"},
		{"message alone", `({ message: "alone" })`, "alone"},
		{"name alone", `({ name: "Alone" })`, "Alone"},
		{"odd properties", `({ name: 1, message: {}, toString() { return "odd"; } })`, "odd"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := eval(t, c.thrown)
			err := FromJS(v)
			assert.Contains(t, err.Error(), c.want)
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.True(t, e.Value.Equal(v), "the value is kept")
		})
	}
}

func full() *fault.Error {
	return &fault.Error{Code: fault.RateLimited, Message: "Too fast.", Remedy: "Wait.", Status: 429, KiiCode: "LIMIT", KiiMessage: "Slow down.",
		ReasonCode: 0, Retryable: true, RetryAfter: 7, Cause: FromJS(js.Global().Get("Error").New("below"))}
}

func TestToJS(t *testing.T) {
	e := ToJS(full())
	assert.True(t, InstanceOf(e, js.Global().Get("Error")))
	assert.Equal(t, "KiiError", e.Get("name").String())
	assert.Equal(t, "Too fast.", e.Get("message").String())
	assert.Equal(t, "RATE_LIMITED", e.Get("code").String())
	assert.Equal(t, "Wait.", e.Get("remedy").String())
	assert.Equal(t, 429, e.Get("status").Int())
	assert.Equal(t, "LIMIT", e.Get("kiiCode").String())
	assert.Equal(t, "Slow down.", e.Get("kiiMessage").String())
	assert.Equal(t, 0, e.Get("reasonCode").Int(), "reason code 0 is one")
	assert.True(t, e.Get("retryable").Bool())
	assert.Equal(t, 7, e.Get("retryAfter").Int())
	assert.Equal(t, "below", e.Get("cause").Get("message").String())
}

func TestToJSLeavesOutWhatIsUnknown(t *testing.T) {
	e := ToJS(fault.New(fault.Network, "No way."))
	for _, field := range []string{"status", "kiiCode", "kiiMessage", "reasonCode", "retryAfter", "cause"} {
		assert.True(t, e.Get(field).IsUndefined(), field)
	}
}

func TestToJSOfCauses(t *testing.T) {
	inner := fault.New(fault.Timeout, "Slow.")
	e := ToJS(fault.Wrap(fault.Network, "No.", inner))
	assert.Equal(t, "TIMEOUT", e.Get("cause").Get("code").String())
	e = ToJS(fault.Wrap(fault.Network, "No.", errors.New("plain")))
	assert.Equal(t, "plain", e.Get("cause").Get("message").String())
	assert.Equal(t, "TIMEOUT", ToJS(context.DeadlineExceeded).Get("code").String())
}

func TestUseErrorClass(t *testing.T) {
	defer UseErrorClass(js.Undefined())
	UseErrorClass(eval(t, `class KiiError extends Error {
		constructor(message, fields) { super(message); Object.assign(this, fields); this.made = "by the loader"; }
	}`))
	e := ToJS(full())
	assert.Equal(t, "by the loader", e.Get("made").String())
	assert.Equal(t, "Too fast.", e.Get("message").String())
	assert.Equal(t, 429, e.Get("status").Int())

	UseErrorClass(eval(t, `class { constructor() { throw new Error("broken"); } }`))
	assert.Equal(t, "RATE_LIMITED", ToJS(full()).Get("code").String(), "a class that throws does not hide the error")
}
