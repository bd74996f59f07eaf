package session

import (
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// chunksAhead is how many chunks the reader may be ahead of the loop before it waits.
const chunksAhead = 32

// frames is how many times as large as the largest packet a WebSocket message may be, since it may carry many packets.
const frames = 4

// keepBuffer is the size in bytes up to which a write buffer is used again.
const keepBuffer = 64 << 10

// chunk is what one Read gave.
type chunk struct {
	b   []byte
	err error // the last of a connection
}

// link is one open transport with its reader and its writer. The loop owns it; the
// two goroutines share only its channels.
type link struct {
	gen    uint32
	conn   transport.Conn
	split  *mqtt.Splitter
	unread int // bytes fed to split that were not part of a whole packet yet
	taken  int // chunks fed to split

	chunks chan chunk    // the reader waits while it is full
	writes chan []byte   // to the writer: one buffer while it is idle, and the last words
	wrote  chan error    // from the writer: one result per buffer
	stop   chan struct{} // closed when the loop is done with the link
	gone   chan struct{} // closed when the writer has closed the transport

	out       []byte      // encoded, for the next write
	receipts  int         // bytes of out that acknowledge what was received
	spare     []byte      // the buffer of the last write, to be used again
	busy      bool        // a write is under way
	writeBy   time.Time   // when it has to be done
	onWrite   []*outgoing // QoS 0 messages in out, settled when it is written
	onWriting []*outgoing // those of the write under way
	broken    error       // a write failed; the reader may still have the reason

	lane     *lane // nil where there is none
	keep     keepAlive
	welcomed time.Time // when CONNACK came
	unacked  int       // messages received at QoS 1 and 2 and not acknowledged to the end
	own      *ask      // the session's own SUBSCRIBE, once it was sent
	answered bool      // something that was sent over it, besides the session's own SUBSCRIBE, was answered
	doubt    doubt
	server   limits
}

// limits are what the server announced in CONNACK.
type limits struct {
	receiveMaximum int
	maxPacket      int // bytes, 0 for none
	maxQoS         byte
	noRetain       bool
	noWildcard     bool
	noShared       bool
}

func newLink(gen uint32, conn transport.Conn, version mqtt.Version, maxPacket int, now time.Time) *link {
	k := &link{
		gen: gen, conn: conn, split: mqtt.NewSplitter(maxPacket),
		chunks: make(chan chunk, chunksAhead), writes: make(chan []byte, 2), wrote: make(chan error, 1),
		stop: make(chan struct{}), gone: make(chan struct{}),
		server: limits{receiveMaximum: 65535, maxQoS: 2},
	}
	if version != mqtt.V5 { // there CONNECT says what is too large, and the broker keeps it back [MQTT-3.1.2-24]
		k.split.PassOver(frames * maxPacket)
	}
	k.keep.start(now, 0)
	go k.read()
	go k.write()
	return k
}

// read moves chunks to the loop until the transport ends or the link is retired.
func (k *link) read() {
	for {
		b, err := k.conn.Read()
		select {
		case k.chunks <- chunk{b, err}:
		case <-k.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// write sends buffers until the link is retired, then closes the transport.
func (k *link) write() {
	defer close(k.gone)
	var err error
	for b := range k.writes {
		if err == nil {
			err = k.conn.Write(b)
		}
		k.wrote <- err
	}
	_ = k.conn.Close() // the link is over; how its transport ends changes nothing
}

// flush hands what is encoded to the writer, in one piece, when it is idle.
func (k *link) flush(now time.Time, timeout time.Duration) {
	if k.busy || len(k.out) == 0 || k.broken != nil {
		return
	}
	k.writes <- k.out
	k.busy = true
	k.keep.wrote(now, len(k.out)-k.receipts)
	k.receipts = 0
	k.writeBy = now.Add(timeout + k.keep.underWay(now))
	k.out, k.spare = k.spare[:0], k.out
	k.onWrite, k.onWriting = k.onWriting[:0], k.onWrite
}

// written notes the writer's result.
func (k *link) written(err error) {
	k.busy, k.writeBy = false, time.Time{}
	for _, o := range k.onWriting {
		o.settle(err)
	}
	k.onWriting = k.onWriting[:0]
	if cap(k.spare) > keepBuffer {
		k.spare = nil
	}
	k.broken = err
}

// retire ends the link in the background. With lastWords, what is encoded is still
// sent, for which there is as long as timer runs; without, the transport is closed at
// once. Messages that were to be written are settled with err.
func (k *link) retire(lastWords Timer, err error, hurry <-chan struct{}, done *sync.WaitGroup) {
	close(k.stop)
	if lastWords != nil && k.broken == nil && len(k.out) > 0 {
		k.writes <- k.out // there is room even when a write is under way
	}
	close(k.writes)
	for _, list := range [][]*outgoing{k.onWriting, k.onWrite} {
		for _, o := range list {
			o.settle(err)
		}
	}
	done.Add(1)
	go k.bury(lastWords, hurry, done)
}

// bury waits until the writer has closed the transport. A writer that hangs in a
// write is ended by closing the transport under it.
func (k *link) bury(lastWords Timer, hurry <-chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	var over <-chan time.Time
	if lastWords == nil {
		_ = k.conn.Close()
		hurry = nil
	} else {
		defer lastWords.Stop()
		over = lastWords.C()
	}
	for {
		select {
		case <-k.gone:
			return
		case <-k.wrote: // the loop does not take it any more
		case <-over:
			_ = k.conn.Close()
		case <-hurry:
			_ = k.conn.Close()
			hurry = nil
		}
	}
}
