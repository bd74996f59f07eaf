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
		switch m[1] {
		case "connect", "dispose", "startPush": // the last two are the loader's own
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

// The same for connections.
func TestTheTypesAreThoseOfAConnection(t *testing.T) {
	promised := map[string]int{}
	body := declared(t, "raw.d.ts", "export interface RawConnection {\n")
	body = regexp.MustCompile(`\n {4}|,?\n {2}\)`).ReplaceAllStringFunc(body, func(fold string) string { // a signature on several lines
		return strings.TrimLeft(fold, ",\n ")
	})
	for _, m := range regexp.MustCompile(`(?m)^  (\w+)\((.*)\): Promise<.*>;$`).FindAllStringSubmatch(body, -1) {
		promised[m[1]] = strings.Count(regexp.MustCompile(`<[^<>]*>`).ReplaceAllString(m[2], ""), ",")
	}
	there := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^\t\t"(\w+)":\s+\{(\d), `).FindAllStringSubmatch(source(t, "connect_js.go"), -1) {
		there[m[1]] = int(m[2][0] - '0')
	}
	assert.Greater(t, len(there), 3, "the table was found")
	assert.Equal(t, promised, there)
}

// What connect takes is what is read of its options.
func TestTheTypesOfConnectsOptions(t *testing.T) {
	promised := []string{"signal", "timeout"}
	body := declared(t, "connection.d.ts", "export interface ConnectOptions extends CallOptions {\n")
	for _, m := range regexp.MustCompile(`(?m)^  (\w+)\?: `).FindAllStringSubmatch(body, -1) {
		promised = append(promised, m[1])
	}
	_, reader, ok := strings.Cut(source(t, "connect_js.go"), "func readConnectOptions(")
	require.True(t, ok)
	reader, _, _ = strings.Cut(reader, "\n}\n")
	read := []string{"signal"} // with every call's options
	for _, m := range regexp.MustCompile(`f\.(?:number|flag|text|pairs)\("(\w+)"`).FindAllStringSubmatch(reader, -1) {
		if m[1] != "express" { // the loader's own
			read = append(read, m[1])
		}
	}
	assert.ElementsMatch(t, promised, read)
}

// The codes that a page can meet are those of the client, in either language.
func TestTheTypesNameEveryCode(t *testing.T) {
	promised := map[string]bool{}
	for _, m := range regexp.MustCompile(`\| "(\w+)"`).FindAllStringSubmatch(declared(t, "calls.d.ts", "export type Code =\n"), -1) {
		promised[m[1]] = true
	}
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t\w+\s+Code = "(\w+)"`).FindAllStringSubmatch(source(t, "../internal/fault/fault.go"), -1) {
		there[m[1]] = true
	}
	require.Greater(t, len(there), 15, "the table was found")
	assert.Equal(t, there, promised)
}

func source(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// declared is what follows begin in a file of types, up to the end of the declaration.
func declared(t *testing.T, file, begin string) string {
	t.Helper()
	_, rest, ok := strings.Cut(source(t, "../js/types/"+file), begin)
	require.True(t, ok, "%s has %s", file, begin)
	for _, end := range []string{"\n}\n", ";\n\n"} {
		if body, _, ok := strings.Cut(rest, end); ok && (end == "\n}\n") == strings.HasSuffix(begin, "{\n") {
			return body
		}
	}
	require.FailNow(t, "the declaration has no end")
	return ""
}

func kiiInterface(t *testing.T) string {
	_, rest, ok := strings.Cut(source(t, "../js/types/kii.d.ts"), "export interface Kii {\n")
	require.True(t, ok)
	body, _, ok := strings.Cut(rest, "\n}\n")
	require.True(t, ok)
	return body
}
