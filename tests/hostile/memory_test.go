package hostile

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// cost is how many bytes the client and the broker allocate over a whole visit.
func cost(t *testing.T, transport kiiweb.Transport, c Case, v mqtt.Version) uint64 {
	g := newGuest(t, transport, Start(t).Expect("memory", c, v))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	g.travel()
	runtime.ReadMemStats(&after)
	g.check(t)
	return after.TotalAlloc - before.TotalAlloc
}

// TestLengthsAreNotBelieved measures what a length costs that is declared and does not
// come: less than the largest packet that the client accepts, in all its allocations.
func TestLengthsAreNotBelieved(t *testing.T) {
	const largest = 1 << 20
	measured := 0
	for _, transport := range []kiiweb.Transport{kiiweb.TransportTCP, kiiweb.TransportWS} {
		usual := cost(t, transport, Case{Name: "nothing wrong", Bytes: "D0 |", End: Kept}, mqtt.V5)
		for _, c := range Table() {
			if !strings.Contains(c.Name, "256 MB") && !strings.Contains(c.Name, "1 MiB") || c.Raw && transport == kiiweb.TransportTCP {
				continue
			}
			measured++
			t.Run(string(transport)+" "+c.Title(mqtt.V5), func(t *testing.T) {
				assert.Less(t, cost(t, transport, c, mqtt.V5), 2*usual+largest)
			})
		}
	}
	require.GreaterOrEqual(t, measured, 10)
}
