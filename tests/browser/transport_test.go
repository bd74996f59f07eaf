package browser_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/transport/testserver"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// TestTransport runs internal/transport's tests, the same as natively, in Chromium.
func TestTransport(t *testing.T) {
	test := chrome.BuildWasmTest(t, "./internal/transport")
	for _, in := range []chrome.In{chrome.Page, chrome.Worker} {
		t.Run(string(in), func(t *testing.T) {
			servers := testserver.Start(t)
			addresses, err := json.Marshal(servers)
			require.NoError(t, err)
			b := chrome.Start(t, chrome.Options{Trust: []byte(servers.CA)})
			test.Run(t, b, in, map[string]string{testserver.Variable: string(addresses)})
		})
	}
}

// TestJSX runs internal/jsx's tests in Chromium.
func TestJSX(t *testing.T) { chrome.RunWasmTest(t, "./internal/jsx", nil) }

// TestWasm runs the module's own tests in Chromium: that nothing a page can pass in
// ends the Go program.
func TestWasm(t *testing.T) { chrome.RunWasmTest(t, "./wasm", nil) }
