package main

import (
	"sync"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/jsx"
)

// Messages that the loader sends come many at once, in shared.frame, as mqtt.ReadStaged reads them.
// js/src/publisher.ts writes them. Each has a ticket, under which onSent is told how it went. Here are
// those that expressSend did not take.

// send takes the connection's handle, the size in bytes of what is in shared.frame, and the
// first ticket.
func (a *app) send(args []js.Value) any {
	size, first := args[1].Int(), int32(args[2].Int())
	l, open := a.connections.get(args[0].Int())
	if !open || l.sent == nil || size < 0 || size > len(shared.frame) {
		return js.Undefined() // the state says what there is to say
	}
	l.conn.Send(append([]byte(nil), shared.frame[:size]...), first, l.sent.tell)
	return js.Undefined()
}

// forget takes the handle and the ticket of a message that nobody waits for any more.
func (a *app) forget(args []js.Value) any {
	if l, open := a.connections.get(args[0].Int()); open {
		l.conn.Forget(int32(args[1].Int()))
	}
	return js.Undefined()
}

// unseen takes the handle and, of messages that were handed to the loader and dropped there, the properties one after
// the other, each behind its length, four bytes, little endian.
func (a *app) unseen(args []js.Value) any {
	list, ok := jsx.Bytes(arg(args, 1))
	if l, open := a.connections.get(args[0].Int()); open && ok {
		go l.conn.Unseen(list)
	}
	return js.Undefined()
}

// receipts tells the loader how messages went, of many at once where they went well.
type receipts struct {
	onSent js.Value

	mu      sync.Mutex
	well    []byte // tickets, four bytes each, little endian
	badly   []failure
	running bool
}

type failure struct {
	ticket int32
	err    error
}

// tell does not wait.
func (r *receipts) tell(ticket int32, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.badly = append(r.badly, failure{ticket, err})
	} else {
		r.well = append(r.well, byte(ticket), byte(ticket>>8), byte(ticket>>16), byte(ticket>>24))
	}
	if !r.running {
		r.running = true
		go r.run()
	}
}

// run tells what there is to tell.
func (r *receipts) run() {
	for {
		r.mu.Lock()
		well, badly := r.well, r.badly
		r.well, r.badly = nil, nil
		r.running = len(well)+len(badly) > 0
		r.mu.Unlock()
		if len(well)+len(badly) == 0 {
			return
		}
		if len(well) > 0 {
			invoke(r.onSent, jsx.Uint8Array(well))
		}
		for _, f := range badly {
			t := f.ticket
			invoke(r.onSent, jsx.Uint8Array([]byte{byte(t), byte(t >> 8), byte(t >> 16), byte(t >> 24)}), jsx.ToJS(f.err))
		}
	}
}
