package hostile

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Visit is what one client goes through.
type Visit struct {
	Case     Case
	Version  mqtt.Version
	ClientID string

	broker  *Broker
	ended   chan struct{} // closed when the first connection has ended
	handled chan struct{} // closed when the client has acknowledged After

	mu    sync.Mutex
	links int
	acks  int           // of After
	heard []mqtt.Packet // what the client said to the row's bytes
}

func (v *Visit) arrive() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.links++
	return v.links
}

// acknowledge notes that the client has acknowledged After.
func (v *Visit) acknowledge() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.acks++; v.acks == 1 {
		close(v.handled)
	}
}

func (v *Visit) hear(p mqtt.Packet) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heard = append(v.heard, p)
}

// ReasonCode is that of the error that the client reports, -1 for none.
func (v *Visit) ReasonCode() int {
	if v.Case.Reason == mqtt.Success {
		return -1
	}
	return int(v.Case.Reason)
}

// Check compares what the broker saw with the row, once the client says that it is
// through. patience bounds the wait for what is still on its way.
func (v *Visit) Check(t testing.TB, patience time.Duration) {
	t.Helper()
	awaits(t, v.handled, patience, "the last message was not acknowledged")
	if v.Case.End != Kept {
		awaits(t, v.ended, patience, "the first connection was not ended")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	assert.Equal(t, 1, v.acks, "acknowledgements of the last message")
	if v.Case.End == Kept {
		assert.Equal(t, 1, v.links, "connections")
		return
	}
	assert.Equal(t, 2, v.links, "connections")
	if v.Version != mqtt.V5 || v.Case.Mute {
		assert.Empty(t, v.heard, "there is nothing to say")
		return
	}
	if assert.Len(t, v.heard, 1) && assert.IsType(t, &mqtt.Disconnect{}, v.heard[0]) {
		assert.Equal(t, v.told().String(), v.heard[0].(*mqtt.Disconnect).ReasonCode.String())
	}
}

// told is the reason code in the client's DISCONNECT: that of the error, where a client
// may send it (MQTT 5, table 3-10).
func (v *Visit) told() mqtt.ReasonCode {
	if v.Case.Reason == mqtt.BadAuthenticationMethod {
		return mqtt.ProtocolError
	}
	return v.Case.Reason
}

func awaits(t testing.TB, happens chan struct{}, patience time.Duration, or string) {
	t.Helper()
	select {
	case <-happens:
	case <-time.After(patience):
		assert.Fail(t, or)
	}
}
