// Package bundlers installs the npm package, as it would be published, into fresh projects,
// builds them the way js/README.md says, and has each receive a push in Chromium.
package bundlers

import (
	"os"
	"testing"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	code := m.Run()
	removeTarball()
	cloud.Clean()
	os.Exit(code)
}
