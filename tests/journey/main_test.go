// Package journey tests the native client against the shipped cloud, from end to end.
package journey

import (
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}
