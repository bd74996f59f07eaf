package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// TestNothingIsLostOrOutOfOrderWhateverTheClientDoes pushes while the client acknowledges some pushes
// and others not, subscribes again, unsubscribes, hangs up and takes over from itself.
func TestNothingIsLostOrOutOfOrderWhateverTheClientDoes(t *testing.T) {
	const pushes = 400
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, func(cfg *EmbeddedConfig) { cfg.Window = 5 })
		inst := q.install(t, installationFor(1))
		rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for n := range pushes {
				p := pushFor(inst, n)
				if n%7 == 0 { // which is not offered, but read
					p.ExpiresAt = p.CreatedAt.Add(45 * time.Second)
				}
				assert.NoError(t, c.e.Publish(context.Background(), []store.Installation{inst}, p))
			}
		}()
		seen := 0 // all below were seen
		for seen < pushes {
			w := ways[rng.IntN(len(ways))]
			client := c.subscribe(w, inst, qos1)
			last, id := -1, uint16(2)
			for steps := rng.IntN(60); steps > 0 && seen < pushes; steps-- {
				switch rng.IntN(20) {
				case 0:
					id++
					client.Send(guardtest.Unsubscribe(w.version, id, inst.Topic))
				case 1, 2:
					id++
					client.Send(guardtest.Subscribe(w.version, id, nil, guardtest.Filter{Topic: inst.Topic, Options: qos1}))
				default:
					client.Send(guardtest.Pingreq)
					for p := client.Next(); p.Type() != mqtt.PINGRESP; p = client.Next() {
						if p.Type() != mqtt.PUBLISH {
							continue
						}
						var n int
						_, err := fmt.Sscanf(string(p.Publish().Payload), `{"n":%d}`, &n)
						require.NoError(t, err)
						require.Greater(t, n, last, "in order, and once per connection")
						require.LessOrEqual(t, n, seen, "nothing is left out")
						last, seen = n, max(seen, n+1)
						if rng.IntN(10) > 0 {
							client.Send(guardtest.Puback(p.Publish().PacketID))
						}
					}
				}
			}
			if rng.IntN(2) == 0 {
				client.HangUp()
			} // else the next one takes over
		}
		<-sent
		client := c.subscribe(tcp5, inst, qos1)
		for c.pending(inst) > 0 {
			client.Send(guardtest.Pingreq)
			for p := client.Next(); p.Type() != mqtt.PINGRESP; p = client.Next() {
				client.Send(guardtest.Puback(p.Publish().PacketID))
			}
		}
	})
}
