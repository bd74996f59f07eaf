package jsx

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBytesAreCopies(t *testing.T) {
	source := []byte{1, 2, 3}
	v := Uint8Array(source)
	source[0] = 9
	got, ok := Bytes(v)
	assert.True(t, ok)
	assert.Equal(t, []byte{1, 2, 3}, got)
	v.SetIndex(0, 7)
	assert.Equal(t, byte(1), got[0])
}

func TestBytes(t *testing.T) {
	cases := []struct {
		name, value string
		want        []byte
		ok          bool
	}{
		{"buffer", `new Uint8Array([5, 6]).buffer`, []byte{5, 6}, true},
		{"empty buffer", `new ArrayBuffer(0)`, []byte{}, true},
		{"detached view", `(() => { const a = new Uint8Array(4); structuredClone(a.buffer, { transfer: [a.buffer] }); return a; })()`, []byte{}, true},
		{"detached buffer", `(() => { const b = new ArrayBuffer(4); structuredClone(b, { transfer: [b] }); return b; })()`, nil, true},
		{"its length throws", `Object.defineProperty(new Uint8Array(2), "length", { get() { throw 1; } })`, nil, false},
		{"its length is no number", `Object.defineProperty(new Uint8Array(2), "length", { value: "2" })`, nil, false},
		{"string", `"ab"`, nil, false},
		{"null", `null`, nil, false},
		{"float view", `new Float64Array(1)`, nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Bytes(eval(t, c.value))
			assert.Equal(t, c.ok, ok)
			assert.Equal(t, c.want, got)
		})
	}
}
