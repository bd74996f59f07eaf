package session

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// rider plays the loader: it offers frames to the short way, and keeps for the long way
// what that does not take.
type rider struct {
	*harness
	b     *pipe
	table []mqtt.Row
	names map[int32]string
	taken int // frames that went the short way

	tickets chan int32 // of messages that were acknowledged the short way
}

// ride brings a session online that has a short way.
func ride(t testing.TB, change func(*Config)) *rider {
	h := newHarness(t, change)
	r := &rider{harness: h, b: h.online(), table: make([]mqtt.Row, 64), names: make(map[int32]string), tickets: make(chan int32, 64)}
	h.s.Express(7, nil)
	r.settled()
	return r
}

// settled waits as well until the courier has come back from the application, and the loop
// is at rest: without either the short way is closed. It looks again and again without a pause,
// since it is called for each of a fuzzer's frames; and once more, since at the first time the
// loop may have had the courier's word in its hand.
func (r *rider) settled() {
	r.t.Helper()
	began := time.Now()
	for running := 0; running < 2; runtime.Gosched() {
		if running++; !r.still() {
			running = 0
		}
		if time.Since(began) > patience {
			require.FailNow(r.t, "the session does not come to rest")
		}
	}
}

// still tells whether everything that was sent is taken in, handed over and answered.
func (r *rider) still() bool {
	asked := make(chan *loop, 1)
	if !r.s.post(func(l *loop) { asked <- l }) {
		<-r.s.Done()
		return true
	}
	l := <-asked
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.courier.clear() || !l.batch.empty() {
		return false
	}
	k := l.link
	if k == nil {
		select {
		case <-r.b.closed: // with the last words
			return true
		default:
			return false
		}
	}
	p := k.conn.(*pipe)
	return k.taken == p.Kept() && !p.ending.Load() && !k.busy && len(k.out) == 0
}

// offer brings a frame. It tells whether that went the short way.
func (r *rider) offer(frame []byte) bool {
	r.t.Helper()
	acks, taken := r.read(frame)
	if !taken {
		r.b.raw(frame)
		return false
	}
	r.handled(acks)
	return true
}

// browserTime is the time by a clock of the browser.
func (r *rider) browserTime() float64 { return float64(r.clock.Now().Sub(t0).Milliseconds()) }

// scarceRoom is how many bytes of a frame the short way sees first.
const scarceRoom = 100

// read offers a frame to the short way, hands out its messages, and gives the number of
// acknowledgements that are owed.
func (r *rider) read(frame []byte) (acks int, taken bool) {
	r.t.Helper()
	lane := *r.b.lane.Load()
	// As the loader does: first as much as there is room for, and then, with more room, all.
	n, acks, tickets, receiver := lane.Frame(frame[:min(len(frame), scarceRoom)], len(frame), r.browserTime(), r.table)
	if n < 0 && len(frame) > scarceRoom {
		n, acks, tickets, receiver = lane.Frame(frame, len(frame), r.browserTime(), r.table)
	}
	if n < 0 {
		return 0, false
	}
	for _, row := range r.table[:tickets] {
		r.tickets <- row[0]
	}
	require.Equal(r.t, int32(7), receiver)
	r.taken++
	var batch []Message
	for _, row := range r.table[:n] {
		cell := func(at, size int32) []byte { return frame[at : at+size : at+size] }
		if at := row[mqtt.RowName]; at != 0 {
			r.names[row[mqtt.RowTopic]] = string(cell(at, int32(frame[at-2])<<8|int32(frame[at-1])))
		}
		flags := byte(row[mqtt.RowFlags])
		batch = append(batch, Message{
			Topic: r.names[row[mqtt.RowTopic]], Payload: cell(row[mqtt.RowPayload], row[mqtt.RowPayloadLength]),
			QoS: flags >> 1 & 3, Retain: flags&1 != 0, Dup: flags&8 != 0, PacketID: uint16(row[mqtt.RowPacketID]),
			Properties: cell(row[mqtt.RowProperties], row[mqtt.RowPropertiesLength]),
		})
	}
	if len(batch) > 0 {
		r.batches <- batch
	}
	return acks, true
}

// handled sends acknowledgements, as soon as that can be.
func (r *rider) handled(acks int) {
	r.t.Helper()
	if acks == 0 {
		return
	}
	out, n := make([]byte, 4*max(acks, 64)), -1
	for began := time.Now(); n < 0; runtime.Gosched() {
		n = (*r.b.lane.Load()).Handled(acks, out)
		require.Less(r.t, time.Since(began), patience)
	}
	if n > 0 {
		r.b.frames <- out[:n]
	}
}

func (r *rider) short(packets ...mqtt.Packet) {
	r.t.Helper()
	r.settled()
	require.True(r.t, r.offer(r.b.encode(packets...)), "it goes the short way")
}

func (r *rider) long(packets ...mqtt.Packet) {
	r.t.Helper()
	r.settled()
	require.False(r.t, r.offer(r.b.encode(packets...)), "it goes the long way")
}
