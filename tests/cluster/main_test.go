//go:build linux

// Package cluster runs the push cloud as it runs beyond one machine, on one machine: three nodes of
// RabbitMQ 4, a PostgreSQL and three processes of the shipped cloud; and ends some of them while
// pushes flow.
package cluster

import (
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	pgtest.StopShared()
	web.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}
