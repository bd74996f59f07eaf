package kiiweb

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodeJSON(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     map[string]any
	}{
		{"empty", `{}`, map[string]any{}},
		{"each kind", ` {"s":"x","n":1.5,"t":true,"f":false,"z":null,"a":[1,"b",{}],"o":{"k":"v"}}` + "\n",
			map[string]any{"s": "x", "n": 1.5, "t": true, "f": false, "z": nil,
				"a": []any{1.0, "b", map[string]any{}}, "o": map[string]any{"k": "v"}}},
		{"escapes", `{"k":"\u65e5\n\"\\ %41 100%"}`, map[string]any{"k": "\u65e5\n\"\\ %41 100%"}},
		{"characters beyond 16 bits", "{\"k\":\"\U0001F600\\ud83d\\ude00\"}", map[string]any{"k": "\U0001F600\U0001F600"}},
		{"last duplicate wins", `{"k":1,"k":2}`, map[string]any{"k": 2.0}},
		{"prototype is a key", `{"__proto__":"x","toString":"y"}`, map[string]any{"__proto__": "x", "toString": "y"}},
		{"X-MQTT-TTL", `{"X-MQTT-TTL":2147483647}`, map[string]any{"X-MQTT-TTL": 2147483647.0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeJSON([]byte(c.in))
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": "", "space": " ", "text": "ok", "HTML": "<html></html>", "cut off": `{"k":`, "trailing": `{} {}`,
		"array": `[]`, "string": `"x"`, "number": `1`, "null": `null`, "single quotes": `{'k':1}`, "comma": `{"k":1,}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeJSON([]byte(in))
			assert.Error(t, err)
		})
	}
}

func TestEncodeJSON(t *testing.T) {
	for _, c := range []struct {
		name string
		in   map[string]any
		want string
	}{
		{"empty", map[string]any{}, `{}`},
		{"sorted", map[string]any{"b": true, "a": nil, "c": 1.5}, `{"a":null,"b":true,"c":1.5}`},
		{"nested", map[string]any{"o": map[string]any{"l": []any{1.0, "x"}}}, `{"o":{"l":[1,"x"]}}`},
		{"markup", map[string]any{"k": "<a&b>"}, `{"k":"<a&b>"}`},
		{"escapes", map[string]any{"k": "\"\\\n\u65e5"}, "{\"k\":\"\\\"\\\\\\n\u65e5\"}"},
		{"integers", map[string]any{"a": 1, "b": int64(-2), "c": uint8(3), "d": float32(0.5)}, `{"a":1,"b":-2,"c":3,"d":0.5}`},
		{"prototype is a key", map[string]any{"__proto__": "x"}, `{"__proto__":"x"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := encodeJSON(c.in)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

func TestEncodeJSONRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"infinity": math.Inf(1), "not a number": math.NaN(), "function": func() {}, "channel": make(chan int),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := encodeJSON(map[string]any{"k": v})
			assert.Error(t, err)
		})
	}
}
