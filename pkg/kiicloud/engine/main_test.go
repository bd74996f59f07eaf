package engine

import (
	"os"
	"testing"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
