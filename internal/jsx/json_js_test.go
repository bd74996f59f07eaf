package jsx

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSONBothWays(t *testing.T) {
	cases := []struct {
		name, text string
		value      any
	}{
		{"null", `null`, nil},
		{"bool", `true`, true},
		{"number", `-1.5e+300`, -1.5e300},
		{"string", `"a\"\\\n é 😀 <>&"`, "a\"\\\n é 😀 <>&"},
		{"empty array", `[]`, []any{}},
		{"empty object", `{}`, map[string]any{}},
		{"nested", `{"a":[1,{"b":null}],"c":"d"}`, map[string]any{"a": []any{1.0, map[string]any{"b": nil}}, "c": "d"}},
		{"key __proto__", `{"__proto__":{"x":1}}`, map[string]any{"__proto__": map[string]any{"x": 1.0}}},
		{"key constructor", `{"constructor":1,"toString":2}`, map[string]any{"constructor": 1.0, "toString": 2.0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseJSON([]byte(c.text))
			require.NoError(t, err)
			assert.Equal(t, c.value, got)
			text, err := StringifyJSON(c.value)
			require.NoError(t, err)
			assert.Equal(t, c.text, string(text))
		})
	}
}

func TestTheDeepestJSONGoesBothWays(t *testing.T) {
	deepest := strings.Repeat("[", maxDepth-1) + `{"a":[1]}` + strings.Repeat("]", maxDepth-1)
	_, err := ParseJSON([]byte(deepest))
	assert.Error(t, err, "one more")
	deepest = deepest[1 : len(deepest)-1]
	value, err := ParseJSON([]byte(deepest))
	require.NoError(t, err)
	text, err := StringifyJSON(value)
	require.NoError(t, err)
	assert.Equal(t, deepest, string(text))
}

func TestParseJSONRefuses(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	for _, text := range []string{"", "{", "{'a':1}", "[1,]", "nul", "1 2", "<html>", deep} {
		_, err := ParseJSON([]byte(text))
		assert.Error(t, err, "%.20q", text)
	}
}

func TestStringifyJSONRefuses(t *testing.T) {
	circle := make([]any, 1)
	circle[0] = circle
	endless := map[string]any{}
	endless["self"] = endless
	for _, value := range []any{math.NaN(), math.Inf(1), struct{}{}, circle, endless, []byte("x"), map[string]any{"x": uint8(1)}} {
		_, err := StringifyJSON(value)
		assert.Error(t, err, "%T", value)
	}
}

func TestStringifyJSONIsStable(t *testing.T) {
	object := map[string]any{"b": 1, "a": 2, "c": 3}
	for range 10 {
		text, err := StringifyJSON(object)
		require.NoError(t, err)
		require.Equal(t, `{"a":2,"b":1,"c":3}`, string(text))
	}
}
