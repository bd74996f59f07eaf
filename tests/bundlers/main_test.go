// Package bundlers installs the npm package, as it would be published, into fresh projects,
// builds them the way js/README.md says, and has each receive a push in Chromium.
package bundlers

import (
	"os"
	"testing"
	"time"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// patience bounds the wait for something that is about to happen; tick is how often a test looks.
const (
	patience = time.Minute
	tick     = 20 * time.Millisecond
)

func TestMain(m *testing.M) {
	code := m.Run()
	removeTarball()
	cloud.Clean()
	os.Exit(code)
}
