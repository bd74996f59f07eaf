package engine

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// wire is a sender that notes what it is given.
type wire struct {
	sent  chan outgoing
	given chan struct{} // closed by giveUp
	fail  func(outgoing) error
}

func newWire() *wire { return &wire{sent: make(chan outgoing, 1000), given: make(chan struct{})} }

func (w *wire) send(m outgoing) error {
	if w.fail != nil {
		if err := w.fail(m); err != nil {
			return err
		}
	}
	w.sent <- m
	return nil
}

func (w *wire) together(write func() error) error { return write() }
func (w *wire) giveUp()                           { close(w.given) }

func newTestPump(t *testing.T, w *wire, window, pushes int) (*pump, *memory, store.Installation) {
	q := newMemory()
	inst := q.install(t, installationFor(1))
	for n := range pushes {
		_, _, err := q.Enqueue(t.Context(), pushFor(inst, n))
		require.NoError(t, err)
	}
	log := slog.New(slog.DiscardHandler)
	settled := newSettler(q, log)
	p := newPump(q, settled, w, inst.ID, inst.LastSeq, window, &counters{}, log)
	t.Cleanup(settled.close)
	t.Cleanup(p.stop)
	return p, q, inst
}

func TestPumpGivesUpWhenSendingFails(t *testing.T) {
	for name, fail := range map[string]func(outgoing) error{
		"error": func(outgoing) error { return errors.New("encoding failed") },
		"panic": func(outgoing) error { panic("on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire()
			w.fail = func(m outgoing) error {
				if m.push.MessageID == "id-1" {
					return fail(m)
				}
				return nil
			}
			p, q, inst := newTestPump(t, w, 10, 3)
			p.subscribe(subscription{qos: 1})
			<-w.given
			p.acknowledge((<-w.sent).packetID)
			p.stop()
			left, err := q.Pending(t.Context(), inst.ID, 0, 10)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(left), 2, "what was not sent stays")
		})
	}
}

func TestPumpSkipsPacketIdentifiersInUse(t *testing.T) {
	w := newWire()
	p, _, _ := newTestPump(t, w, 3, 6)
	p.lastID = 65533
	p.subscribe(subscription{qos: 1})
	var ids []uint16
	take := func() uint16 { id := (<-w.sent).packetID; ids = append(ids, id); return id }
	take()
	take()
	p.acknowledge(take())
	take()
	require.Equal(t, []uint16{65534, 65535, 1, 2}, ids, "0 is none")

	p.mu.Lock()
	p.lastID = 65533
	p.mu.Unlock()
	p.acknowledge(2)
	take()
	require.Equal(t, uint16(1), ids[4], "65534 and 65535 are still in use")
}

func TestPumpThatWasStoppedStaysStopped(t *testing.T) {
	w := newWire()
	p, _, _ := newTestPump(t, w, 10, 3)
	p.stop()
	p.subscribe(subscription{qos: 1})
	p.stop()
	require.Empty(t, w.sent)
	require.False(t, p.running)
}

func TestPumpStopTellsTheQueueOfTheLastAcknowledgement(t *testing.T) {
	w := newWire()
	p, q, inst := newTestPump(t, w, 10, 3)
	p.subscribe(subscription{qos: 1})
	ids := []uint16{(<-w.sent).packetID, (<-w.sent).packetID, (<-w.sent).packetID, 999 /* unknown */}
	q.setFail(errStore)
	for _, id := range ids {
		p.acknowledge(id)
	}
	require.Error(t, p.settled.flush())
	q.setFail(nil)
	p.stop() // does not wait for the next attempt
	left, err := q.Pending(t.Context(), inst.ID, 0, 10)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestPumpStopsQuicklyWhileItWaitsForTheStore(t *testing.T) {
	w := newWire()
	p, q, _ := newTestPump(t, w, 10, 3)
	q.setFail(errStore)
	p.subscribe(subscription{qos: 1})
	began := time.Now()
	p.stop()
	require.Less(t, time.Since(began), guardtest.Patience/2)
}

// TestPumpSendsNothingAfterUnsubscribe: an UNSUBACK must not be followed by a message
// that was on its way [MQTT-3.10.4-2].
func TestPumpSendsNothingAfterUnsubscribe(t *testing.T) {
	w := newWire()
	sending, release := make(chan struct{}), make(chan struct{})
	w.fail = func(m outgoing) error {
		if m.push.MessageID == "id-0" {
			close(sending)
			<-release
		}
		return nil
	}
	p, _, _ := newTestPump(t, w, 10, 3)
	p.subscribe(subscription{qos: 1})
	<-sending
	halted := make(chan int)
	go func() {
		p.unsubscribe()
		halted <- len(w.sent)
	}()
	select {
	case <-halted:
		require.Fail(t, "unsubscribe returned while pushes were being sent")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	require.Equal(t, 3, <-halted, "all that was begun is sent before unsubscribe returns")
	p.poke()
	require.Never(t, func() bool { return len(w.sent) != 3 }, 20*time.Millisecond, time.Millisecond)
}
