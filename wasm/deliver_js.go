package main

import (
	"context"
	"slices"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// rowSize is the size of a message's row in the table of a batch: eight int32, little
// endian, as js/src/batch.ts reads them. They are the topic's index, the flags (the low
// four bits of the first byte of PUBLISH), the packet identifier, offset and length of
// the payload, offset and length of the properties, and 0 (the short way has the name of
// a new topic there). Offsets count from the start
// of the buffer, which begins with the table.
const rowSize = 8 * 4

// maxTopics is how many topic names an encoder remembers before it starts afresh.
const maxTopics = 256

// encoder hands batches to the loader: one call each.
type encoder struct {
	onBatch js.Value
	dropped func() int     // how many messages were dropped since it was asked before
	topics  map[string]int // names that the loader knows
}

func newEncoder(onBatch js.Value, dropped func() int) *encoder {
	return &encoder{onBatch: onBatch, dropped: dropped, topics: make(map[string]int)}
}

// deliver hands batch over, in pieces where it has more topics than are remembered. wait
// returns when all of it was handled, or all before stop; it is nil when it was. An empty batch, which stands for
// repeats, is handed over, too: it was handled when what came before it was.
func (e *encoder) deliver(batch []kiiweb.Message) (wait func() (stop uint16)) {
	for first := true; first || len(batch) > 0; first = false {
		if wait != nil { // one piece after the other
			if stop := wait(); stop != 0 {
				return func() uint16 { return stop }
			}
		}
		wait = nil
		n, fresh := e.intern(batch)
		first := len(e.topics) - len(fresh)
		buffer := encode(batch[:n], e.topics)
		// A page on another thread gives a promise: it is still busy with the batch.
		firm := slices.ContainsFunc(batch[:n], kiiweb.Message.Firm)
		if handling := invoke(e.onBatch, jsx.Uint8Array(buffer), n, fresh, first, e.dropped(), firm); handling.Truthy() {
			wait = func() uint16 {
				stop := handling
				if stop.Type() == js.TypeObject {
					stop, _ = jsx.Await(context.Background(), handling)
				}
				if stop.Type() != js.TypeNumber {
					return 0
				}
				return uint16(stop.Int())
			}
		}
		batch = batch[n:]
	}
	return wait
}

// intern numbers the topics of the first n messages of batch, as many as there is room
// for, and gives the names that are new.
func (e *encoder) intern(batch []kiiweb.Message) (n int, fresh []any) {
	fresh = []any{}
	for i, m := range batch {
		if _, known := e.topics[m.Topic]; known {
			continue
		}
		if len(e.topics) == maxTopics {
			if i > 0 {
				return i, fresh
			}
			clear(e.topics)
		}
		e.topics[m.Topic] = len(e.topics)
		fresh = append(fresh, whole(m.Topic))
	}
	return len(batch), fresh
}

// whole gives s so that JavaScript gets all of it: Go's glue takes one U+FEFF off the beginning of what
// it decodes, but to MQTT that is a character like any other [MQTT-1.5.4-3].
func whole(s string) string {
	const mark = "\ufeff"
	if len(s) >= len(mark) && s[:len(mark)] == mark {
		return mark + s
	}
	return s
}

// encode lays out the table, then each message's payload and properties.
func encode(batch []kiiweb.Message, topics map[string]int) []byte {
	size := len(batch) * rowSize
	for _, m := range batch {
		size += len(m.Payload) + len(m.RawProperties())
	}
	buffer := make([]byte, len(batch)*rowSize, size)
	for i, m := range batch {
		row := buffer[i*rowSize:]
		payload := len(buffer)
		buffer = append(buffer, m.Payload...)
		properties := len(buffer)
		buffer = append(buffer, m.RawProperties()...)
		for column, n := range [...]int{
			topics[m.Topic], int(flags(m)), int(m.PacketID),
			payload, len(m.Payload), properties, len(m.RawProperties()),
		} {
			put32(row[column*4:], n)
		}
	}
	return buffer
}

func put32(b []byte, n int) {
	b[0], b[1], b[2], b[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
}

// flags are the low four bits of the first byte of PUBLISH (MQTT 5, 3.3.1).
func flags(m kiiweb.Message) byte {
	b := m.QoS << 1
	if m.Retain {
		b |= 1
	}
	if m.Dup {
		b |= 8
	}
	return b
}

// What messages without the loader are made with.
var (
	parseJSON   = js.Global().Get("JSON").Get("parse")
	decodeUTF8  = js.Global().Get("TextDecoder").Get("prototype").Get("decode")
	textDecoder = js.Global().Get("TextDecoder").New()
)

// messageToJS makes a plain object of m. text and json are JavaScript's own functions
// bound to their argument, so that none of ours has to outlive the message.
func messageToJS(m kiiweb.Message) js.Value {
	o := object.New()
	bytes := jsx.Uint8Array(m.Payload)
	o.Set("topic", whole(m.Topic))
	o.Set("bytes", bytes)
	o.Set("qos", int(m.QoS))
	o.Set("retain", m.Retain)
	o.Set("dup", m.Dup)
	o.Set("packetId", int(m.PacketID))
	o.Set("rawProperties", jsx.Uint8Array(m.RawProperties()))
	o.Set("text", bind.Invoke(decodeUTF8, textDecoder, bytes))
	o.Set("json", bind.Invoke(parseJSON, js.Null(), string(m.Payload)))
	return o
}

var consoleError = js.Global().Get("console").Get("error")

// invoke calls a function of the page. What it throws is shown as an uncaught error, and
// never gets further into the program.
func invoke(f js.Value, args ...any) (result js.Value) {
	result, err := jsx.Invoke(f, args...)
	thrown, ok := err.(*jsx.Error)
	if !ok {
		return result // the arguments are ours: they fit
	}
	if _, err := jsx.Call(js.Global(), "reportError", thrown.Value); err != nil {
		_, _ = jsx.Invoke(consoleError, thrown.Value)
	}
	return result
}
