//go:build !js

package transport_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/internal/transport/testserver"
)

// TestMain fails when a goroutine is left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func servers(t *testing.T) testserver.Servers { return testserver.Start(t) }
