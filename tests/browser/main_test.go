package browser_test

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
