package guard

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// hesitant is a Handler that takes its time over a CONNECT.
type hesitant struct {
	fake
	asked, decide chan struct{}
}

func (h *hesitant) Connect(c *mqtt.Connect) *Refusal {
	close(h.asked)
	<-h.decide
	return h.fake.Connect(c)
}

// A connection that ends while its CONNECT is being looked at is answered: by a mere close a client could
// not tell it from a server that does not speak its version.
func TestAnEndBeforeConnackIsAnswered(t *testing.T) {
	for _, c := range []struct {
		end    mqtt.ReasonCode
		v5, v3 mqtt.ReasonCode
	}{
		{mqtt.SessionTakenOver, mqtt.ServerBusy, 3},
		{mqtt.ServerShuttingDown, mqtt.ServerUnavailable, 3},
		{mqtt.AdministrativeAction, mqtt.NotAuthorized, 5},
		{mqtt.MaximumConnectTime, mqtt.BadUserNameOrPassword, 4},
	} {
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			near, err := net.Dial("tcp", ln.Addr().String())
			require.NoError(t, err)
			far, err := ln.Accept()
			require.NoError(t, err)
			require.NoError(t, ln.Close())
			h := &hesitant{asked: make(chan struct{}), decide: make(chan struct{})}
			conn := NewConn(far, h, Limits{})
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, err := conn.Next()
				if err == nil {
					_, err = conn.Write([]byte{0x20, 2, 0, 0})
				}
				require.Error(t, err)
				conn.Finish()
			}()
			client := guardtest.OnStream(t, v, near)
			client.Send(guardtest.Connect(v, hello))
			<-h.asked
			conn.End(&Refusal{c.end, "why"})
			close(h.decide)
			ack := client.Expect(mqtt.CONNACK)
			if v == mqtt.V5 {
				require.Equal(t, c.v5, ack.Code())
				require.Equal(t, "why", ack.Properties().ReasonString)
			} else {
				require.Equal(t, c.v3, ack.Code())
			}
			client.ExpectClosed() // one answer, and no DISCONNECT
			<-ended
		}
	}
}
