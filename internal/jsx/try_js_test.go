package jsx

import (
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile are values that throw wherever JavaScript lets them.
const hostile = `(() => {
	const boom = () => { throw new RangeError("boom"); };
	return {
		getter: { get x() { boom(); }, set x(v) { boom(); } },
		trap: new Proxy({}, { get: boom, set: boom, getPrototypeOf: boom, has: boom, ownKeys: boom }),
		revoked: (() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })(),
		frozen: Object.freeze({ x: 1 }),
		thrower: { x: boom },
		nullish: Object.create(null),
	};
})()`

func TestCallsThatThrowAreErrors(t *testing.T) {
	h := eval(t, hostile)
	boom := "RangeError: boom"
	cases := []struct {
		name string
		do   func() error
		want string // contained in the error
	}{
		{"get through a getter", func() error { _, err := Get(h.Get("getter"), "x"); return err }, boom},
		{"get through a proxy", func() error { _, err := Get(h.Get("trap"), "x"); return err }, boom},
		{"get of a revoked proxy", func() error { _, err := Get(h.Get("revoked"), "x"); return err }, "TypeError"},
		{"get of undefined", func() error { _, err := Get(js.Undefined(), "x"); return err }, "TypeError"},
		{"get of a number", func() error { _, err := Get(js.ValueOf(1), "x"); return err }, "TypeError"},
		{"set through a setter", func() error { return Set(h.Get("getter"), "x", 1) }, boom},
		{"set through a proxy", func() error { return Set(h.Get("trap"), "x", 1) }, boom},
		{"set of a frozen object", func() error { return Set(h.Get("frozen"), "x", 2) }, "cannot be set"},
		{"set to what JavaScript cannot hold", func() error { return Set(h.Get("nullish"), "x", struct{}{}) }, "invalid value"},
		{"call that throws", func() error { _, err := Call(h.Get("thrower"), "x"); return err }, boom},
		{"call of a getter that throws", func() error { _, err := Call(h.Get("getter"), "x"); return err }, boom},
		{"call of nothing", func() error { _, err := Call(h.Get("nullish"), "x"); return err }, "not a function"},
		{"call of null", func() error { _, err := Call(js.Null(), "x"); return err }, "TypeError"},
		{"invoke of no function", func() error { _, err := Invoke(js.ValueOf("x")); return err }, "Invoke"},
		{"invoke that throws", func() error { _, err := Invoke(h.Get("thrower").Get("x")); return err }, boom},
		{"new of no constructor", func() error { _, err := New(js.Global().Get("JSON")); return err }, "syscall/js"},
		{"invoke of a bigint", func() error { _, err := Invoke(eval(t, "5n")); return err }, "type"},
		{"new that throws", func() error { _, err := New(js.Global().Get("Array"), -1); return err }, "RangeError"},
		{"value of a channel", func() error { _, err := ValueOf(make(chan int)); return err }, "invalid value"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { require.ErrorContains(t, c.do(), c.want) })
	}
}

func TestCallsThatSucceed(t *testing.T) {
	o := eval(t, `{ n: 2, add(x) { return this.n + x; } }`)
	sum, err := Call(o, "add", 3)
	require.NoError(t, err)
	assert.Equal(t, 5, sum.Int())

	require.NoError(t, Set(o, "n", 10))
	n, err := Get(o, "n")
	require.NoError(t, err)
	assert.Equal(t, 10, n.Int())

	array, err := New(js.Global().Get("Array"), 3)
	require.NoError(t, err)
	assert.Equal(t, 3, array.Length())

	absent, err := Get(o, "absent")
	require.NoError(t, err)
	assert.True(t, absent.IsUndefined())
}

func TestInstanceOf(t *testing.T) {
	h := eval(t, hostile)
	date := js.Global().Get("Date")
	assert.True(t, InstanceOf(date.New(), date))
	assert.False(t, InstanceOf(js.ValueOf("x"), date))
	assert.False(t, InstanceOf(h.Get("trap"), date))
	assert.False(t, InstanceOf(h.Get("revoked"), date))
	assert.False(t, InstanceOf(js.Undefined(), date))
}
