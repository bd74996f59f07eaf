//go:build !js

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The types and the module promise the same: every method of the interface Kii is in the
// table of the module's functions, with as many arguments before the options, and none is
// there besides.
func TestTheTypesAreThoseOfTheExports(t *testing.T) {
	promised := map[string]int{"connect": 1} // which the module has apart: its options are more than a call's
	for _, m := range regexp.MustCompile(`(?m)^  (\w+)\((.*)\): Promise<.*>;$`).FindAllStringSubmatch(kiiInterface(t), -1) {
		if m[1] == "connect" || m[1] == "dispose" { // which is the loader's own
			continue
		}
		require.True(t, strings.HasSuffix(m[2], "options?: CallOptions"), "%s takes the call's options last", m[1])
		promised[m[1]] = strings.Count(m[2], ",")
	}

	source, err := os.ReadFile("methods_js.go")
	require.NoError(t, err)
	there := map[string]int{"connect": 1}
	for _, m := range regexp.MustCompile(`(?m)^\t\{name: "(\w+)", arity: (\d),`).FindAllStringSubmatch(string(source), -1) {
		there[m[1]] = int(m[2][0] - '0')
	}
	assert.Greater(t, len(there), 10, "the table was found")
	assert.Equal(t, promised, there)
}

func kiiInterface(t *testing.T) string {
	types, err := os.ReadFile("../js/types/index.d.ts")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(types), "export interface Kii {\n")
	require.True(t, ok)
	body, _, ok := strings.Cut(rest, "\n}\n")
	require.True(t, ok)
	return body
}
