// Package crash kills the shipped cloud in the middle of its work, and takes its disk away, and
// looks at what is left.
package crash

import (
	"os"
	"testing"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	pgtest.StopShared()
	os.Exit(code)
}
