package journey

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// What is published at once leaves in WebSocket messages of as much as the client encodes ahead and one packet more,
// which the cloud has to take: it would close the connection over a larger one, and at QoS 1 over the same again.
func TestABurstOfLargeMessagesOverWebSocket(t *testing.T) {
	c := cloud.Start(t)
	for name, qos := range map[string]byte{"QoS 0": 0, "QoS 1": 1} {
		t.Run(name, func(t *testing.T) {
			tr := newTraveller(t, c)
			_, endpoint := tr.install()
			conn, err := tr.client.Connect(tr.ctx, endpoint, kiiweb.ConnectOptions{Transport: kiiweb.TransportWSS, OnState: tr.note})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, conn.Close(tr.ctx)) })
			m := kiiweb.Message{Topic: endpoint.MQTTTopic, Payload: []byte(`"` + strings.Repeat("x", 4094) + `"`), QoS: qos}
			errs := make([]error, 200)
			var running sync.WaitGroup
			for i := range errs {
				running.Go(func() { errs[i] = conn.Publish(tr.ctx, m) })
			}
			running.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
			m.QoS = 1 // is answered when all the others have been read
			require.NoError(t, conn.Publish(tr.ctx, m))
			tr.mu.Lock()
			defer tr.mu.Unlock()
			for _, ch := range tr.changes {
				assert.Contains(t, []kiiweb.State{kiiweb.StateConnecting, kiiweb.StateOnline}, ch.State, "%+v", ch)
			}
		})
	}
}
