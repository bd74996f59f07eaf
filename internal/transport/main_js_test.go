package transport_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/internal/transport/testserver"
)

// TestMain fails when a function that JavaScript could call is left behind. A promise
// that was given up settles a moment later, so it waits for that.
func TestMain(m *testing.M) {
	code := m.Run()
	for end := time.Now().Add(patience); jsx.Live() != 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if jsx.Live() != 0 && code == 0 {
		println("functions not released:", jsx.Live())
		code = 1
	}
	os.Exit(code)
}

func servers(t *testing.T) testserver.Servers {
	var s testserver.Servers
	require.NoError(t, json.Unmarshal([]byte(os.Getenv(testserver.Variable)), &s),
		"the servers run outside: start this test from tests/browser")
	return s
}
