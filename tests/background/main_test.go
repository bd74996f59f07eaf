// Package background has the client where no page is looked at: in the service worker of an
// extension, and in hidden tabs that Chromium slows down. Its tests wait for time to pass, side by
// side and with little to do.
package background

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// patience bounds the wait for something that is about to happen.
const patience = 2 * time.Minute

// tick is how often a test looks.
const tick = 20 * time.Millisecond

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	os.Exit(code)
}

// fill puts values in the places of names: a name, its value, and so on.
func fill(script string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(script)
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
