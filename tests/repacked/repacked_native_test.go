//go:build !js

package repacked_test

import (
	"testing"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// TestRepackedProgramsRun runs the tests that this package has for a browser, repacked as the shipped module is.
func TestRepackedProgramsRun(t *testing.T) {
	test, b := chrome.BuildWasmTest(t, "./tests/repacked"), chrome.Start(t, chrome.Options{})
	test.Repack(t)
	test.Run(t, b, chrome.Worker, nil)
}
