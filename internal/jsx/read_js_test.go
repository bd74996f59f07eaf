package jsx

import (
	"math"
	"strings"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// read adapts a Reader to the tables below.
func read[T any](r Reader[T]) func(js.Value) (any, error) {
	return func(v js.Value) (any, error) { return r("arg", v) }
}

func TestTextsHaveALimit(t *testing.T) {
	const most = 1 << 20
	for name, length := range map[string]struct {
		read func(js.Value) (any, error)
		most int
	}{"string": {read(String), most}, "json": {read(JSON), most - len(`""`)}} {
		longest := strings.Repeat("x", length.most)
		got, err := length.read(js.ValueOf(longest))
		require.NoError(t, err, name)
		assert.True(t, got == longest, name)
		_, err = length.read(js.ValueOf(longest + "x"))
		assert.ErrorContains(t, err, "arg is too long", name)
	}
}

func TestReadersAccept(t *testing.T) {
	cases := []struct {
		name, value string
		read        func(js.Value) (any, error)
		want        any
	}{
		{"string", `"é"`, read(String), "é"},
		{"empty string", `""`, read(String), ""},
		{"true", `true`, read(Bool), true},
		{"lowest", `-3`, read(Int(-3, 5)), -3},
		{"highest", `5`, read(Int(-3, 5)), 5},
		{"negative zero", `-0`, read(Int(-3, 5)), 0},
		{"largest safe integer", `9007199254740991`, read(Int(0, math.MaxInt)), 9007199254740991},
		{"bytes", `new Uint8Array([1, 2])`, read(ByteArray), []byte{1, 2}},
		{"part of a buffer", `new Uint8Array([1, 2, 3, 4]).subarray(1, 3)`, read(ByteArray), []byte{2, 3}},
		{"no bytes", `new Uint8Array(0)`, read(ByteArray), []byte{}},
		{"json", `({ a: [1, "x", null, true], skip: undefined })`, read(JSON),
			map[string]any{"a": []any{1.0, "x", nil, true}}},
		{"json through toJSON", `new Date(0)`, read(JSON), "1970-01-01T00:00:00.000Z"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.read(eval(t, c.value))
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	for _, value := range []string{`({})`, `Object.create(null)`, `new (class Endpoint {})`, `Object.freeze({ a: 1 })`} {
		_, err := Object("arg", eval(t, value))
		assert.NoError(t, err, value)
	}
	_, err := Function("arg", eval(t, `() => 1`))
	assert.NoError(t, err)
}

func TestReadersRefuse(t *testing.T) {
	cases := []struct {
		name, value string
		read        func(js.Value) (any, error)
	}{
		{"number as string", `1`, read(String)},
		{"String object as string", `new String("x")`, read(String)},
		{"undefined as string", `undefined`, read(String)},
		{"empty where something is needed", `""`, read(NonEmpty)},
		{"null where something is needed", `null`, read(NonEmpty)},
		{"string as bool", `"true"`, read(Bool)},
		{"number as bool", `1`, read(Bool)},
		{"null as bool", `null`, read(Bool)},
		{"fraction", `1.5`, read(Int(0, 9))},
		{"NaN", `NaN`, read(Int(0, 9))},
		{"infinity", `Infinity`, read(Int(0, math.MaxInt))},
		{"too small", `-1`, read(Int(0, 9))},
		{"too large", `10`, read(Int(0, 9))},
		{"beyond int", `1e300`, read(Int(0, 9))},
		{"numeric string", `"5"`, read(Int(0, 9))},
		{"bigint", `5n`, read(Int(0, 9))},
		{"array as object", `[]`, read(Object)},
		{"null as object", `null`, read(Object)},
		{"date as object", `new Date()`, read(Object)},
		{"promise as object", `Promise.resolve()`, read(Object)},
		{"function as object", `() => 1`, read(Object)},
		{"revoked proxy as object", `(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()`, read(Object)},
		{"object as function", `({})`, read(Function)},
		{"array as bytes", `[1, 2]`, read(ByteArray)},
		{"other view as bytes", `new Uint16Array(2)`, read(ByteArray)},
		{"buffer as bytes", `new ArrayBuffer(2)`, read(ByteArray)},
		{"impostor as bytes", `Object.create(Uint8Array.prototype)`, read(ByteArray)},
		{"proxy as bytes", `new Proxy(new Uint8Array(2), {})`, read(ByteArray)},
		{"undefined as json", `undefined`, read(JSON)},
		{"function as json", `() => 1`, read(JSON)},
		{"circle as json", `(() => { const o = {}; o.o = o; return o; })()`, read(JSON)},
		{"bigint in json", `({ n: 1n })`, read(JSON)},
		{"throwing getter in json", `({ get x() { throw new Error("no"); } })`, read(JSON)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.read(eval(t, c.value))
			require.Equal(t, fault.InvalidArgument, fault.CodeOf(err), "%v", err)
			assert.Contains(t, err.Error(), "arg", "the message names the argument")
		})
	}
}

func TestErrorsSayOfWhichKindItIs(t *testing.T) {
	for value, want := range map[string]string{
		`null`:       "null",
		`5n`:         "a bigint",
		`({})`:       "an object of kind Object",
		`[]`:         "an object of kind Array",
		`new Date()`: "an object of kind Date",
		`({ get [Symbol.toStringTag]() { throw 1; } })`: "an object",
	} {
		_, err := Bool("arg", eval(t, value))
		assert.EqualError(t, err, "arg must be true or false, but is "+want+".", value)
	}
	_, err := JSON("arg", eval(t, `({ get x() { throw new Error("no"); } })`))
	var thrown *Error
	require.ErrorAs(t, err, &thrown, "what was thrown is told")
	assert.Equal(t, "no", thrown.Message)
}

func TestErrorsDoNotShowWhatWasGiven(t *testing.T) {
	_, err := Bool("password", js.ValueOf("hunter2"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
	assert.Equal(t, "password must be true or false, but is a string.", err.Error())
}

func TestField(t *testing.T) {
	o := eval(t, `({ appID: "demo", n: 3, nothing: undefined, nil: null, get bad() { throw new Error("no"); } })`)
	s, err := Field("config", o, "appID", NonEmpty)
	require.NoError(t, err)
	assert.Equal(t, "demo", s)

	_, err = Field("config", o, "appKey", NonEmpty)
	require.EqualError(t, err, "config.appKey must be a string, but is undefined.")
	_, err = Field("config", o, "bad", NonEmpty)
	require.Equal(t, fault.InvalidArgument, fault.CodeOf(err))

	n, err := FieldOr("config", o, "nothing", Int(0, 9), 4)
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	_, err = FieldOr("config", o, "nil", Int(0, 9), 4)
	require.EqualError(t, err, "config.nil must be a number, but is null.")
}
