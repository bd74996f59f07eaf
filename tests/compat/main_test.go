// Package compat runs kiiweb/compat in Chromium: the samples of Kii's guide as they are
// printed there, and one script with it and with Kii's own JavaScript SDK side by side.
package compat

import (
	"os"
	"testing"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	os.Exit(code)
}
