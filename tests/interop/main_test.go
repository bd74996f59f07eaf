// Package interop runs our client against brokers that were not written here: one table
// of scenarios, one column for each broker, protocol version and platform, and what is
// expected where they meet. docs/interop.md is written from it.
package interop

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	if err := os.Chdir(filepath.Join("..", "..")); err != nil { // where what the tests run is found
		panic(err)
	}
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
