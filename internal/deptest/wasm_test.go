package deptest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// linked are the packages of the module whose code ends up in the browser.
var linked = []string{
	"./wasm", "./pkg/kiiweb",
	"./internal/fault", "./internal/jsx", "./internal/mqtt", "./internal/session", "./internal/transport",
}

// forbidden are packages that must not reach the browser, each with the reason. The
// sizes are what they add to the compressed module.
var forbidden = map[string]string{
	"net/http":                               "1,500 KB; in a browser HTTP is fetch (internal/transport)",
	"encoding/json":                          "245 KB; in a browser JSON is the browser's (internal/jsx)",
	"crypto/tls":                             "the browser does TLS; it brings all of crypto along",
	"crypto/x509":                            "the browser checks certificates",
	"net/url":                                "Go's rules for URLs differ from the browser's; it comes with net/http",
	"log/slog":                               "it brings encoding/json, reflection and formatting; a library returns errors instead",
	"regexp":                                 "parsing is done by hand, strictly and without allocation",
	"text/template":                          "it calls methods by name, so that the linker can drop nothing any more",
	"html/template":                          "as text/template",
	"testing":                                "test helpers belong into packages that only tests import",
	"fmt":                                    "120 KB; strconv, errors and + do the same without reflection",
	"reflect":                                "with it the linker keeps every exported method of every type",
	"log":                                    "a library returns errors instead",
	"net":                                    "a browser has no sockets",
	"os":                                     "a browser has no files; it comes with much of syscall",
	"runtime/debug":                          "it brings os and fmt; runtime.Stack gives a stack",
	"github.com/eclipse/paho.golang/packets": "150 KB, by way of fmt, reflect and net; it is the tests' second opinion",
}

func TestNothingHeavyReachesTheBrowser(t *testing.T) {
	packages := list(t, "js", linked...)
	require.Len(t, packages, len(linked))
	g := list(t, "js", append([]string{"-deps"}, linked...)...)
	for _, from := range sorted(packages) {
		for heavy, reason := range forbidden {
			if way := g.chain(from, heavy); way != nil {
				assert.Fail(t, heavy+" must not be linked into the WebAssembly module: "+reason, "%s", strings.Join(way, "\n  imports "))
			}
		}
	}
}

// TestListOfLinkedIsComplete keeps the list above true.
func TestListOfLinkedIsComplete(t *testing.T) {
	for _, path := range sorted(list(t, "js", "-deps", "./wasm")) {
		if inside := own(path); inside != "" {
			assert.Contains(t, linked, "./"+inside, "add it to the list")
		}
	}
}

func sorted(g graph) []string {
	names := make([]string, 0, len(g))
	for name := range g {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
