package main

import (
	"syscall/js"
	"unsafe"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// The short way. The loader copies what a WebSocket brings into frame and calls kiiwebFrame, in the callback
// that brings it: no goroutine runs, and nothing crosses through syscall/js. What is exported
// here neither waits nor allocates; transport.Lane says why. Without the loader nobody calls it.

const (
	minFrame = 16 << 10
	maxFrame = 256 << 10 // a larger one comes the long way, unless its beginning will do
	maxRows  = 4096
	outSize  = 16 << 10
)

// shared is the memory that the loader works with.
var shared struct {
	notes note
	frame []byte
	table [][8]int32
	out   [outSize]byte
}

// note is what the loader reads beside an export's result: addresses, sizes, and more
// results. It is eight int32, as js/src/express.ts reads them.
type note struct {
	frame, frameSize int32 // where a frame goes, and its largest size in bytes
	table, out       int32
	receiver, acks   int32 // of the latest frame
	tickets          int32 // so many are in the table, or were sent
	port             int32 // over which
}

// expressExports are what the loader needs besides the module's exports: the address of
// the notes, and a function that makes room for frames of so many bytes, as far as
// that goes. It is called like any other, since it allocates.
func expressExports() js.Value {
	o := object.New()
	o.Set("notes", address(unsafe.Pointer(&shared.notes)))
	o.Set("room", jsx.NewFunc(func(args []js.Value) any {
		makeRoom(arg(args, 0).Int())
		return nil
	}).Value())
	makeRoom(minFrame)
	return o
}

func makeRoom(size int) {
	n := max(len(shared.frame), minFrame)
	for n < size && size <= maxFrame {
		n *= 2
	}
	if n > len(shared.frame) {
		shared.frame, shared.table = make([]byte, n), make([][8]int32, min(n/8, maxRows))
	}
	shared.notes.frame, shared.notes.frameSize = address(unsafe.Pointer(&shared.frame[0])), int32(n)
	shared.notes.table = address(unsafe.Pointer(&shared.table[0]))
	shared.notes.out = address(unsafe.Pointer(&shared.out[0]))
}

func address(p unsafe.Pointer) int32 { return int32(uintptr(p)) }

// expressFrame offers a frame of size bytes, which came at that time, to the lane behind a port. Of one that is larger than
// the room for it the beginning is there. It gives the number of messages in the table, -1 when the frame was not taken.
//
//go:wasmexport kiiwebFrame
func expressFrame(port, size int32, at float64) int32 {
	lane := transport.LaneAt(port)
	if lane == nil || size < 0 {
		return -1
	}
	frame := shared.frame[:min(int(size), len(shared.frame))]
	messages, acks, tickets, receiver := lane.Frame(frame, int(size), at, shared.table)
	shared.notes.acks, shared.notes.tickets, shared.notes.receiver = int32(acks), int32(tickets), receiver
	return int32(messages)
}

// expressHandled says that messages were handled for which so many acknowledgements are
// owed. It gives the number of bytes to be sent; -1: ask again.
//
//go:wasmexport kiiwebHandled
func expressHandled(port, acks int32) int32 {
	lane := transport.LaneAt(port)
	if lane == nil {
		return 0
	}
	return int32(lane.Handled(int(acks), shared.out[:]))
}

// expressSend sends staged messages of a receiver, size bytes in frame: what is to be written to the
// WebSocket takes their place. It gives the number of its bytes; -1: they are to come the long way.
//
//go:wasmexport kiiwebSend
func expressSend(receiver, size int32) int32 {
	if size < 0 || int(size) > len(shared.frame) {
		return -1
	}
	port, written, messages := transport.SendStaged(receiver, shared.frame[:size])
	shared.notes.port, shared.notes.tickets = port, int32(messages)
	return int32(written)
}
