package main

import (
	"context"
	"syscall/js"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// connectOptions is what connect takes beside the endpoint. Messages go to onBatch when
// it is there, which only the loader knows of, else to onMessage.
type connectOptions struct {
	kiiweb.ConnectOptions
	onMessage, onState, onBatch js.Value
	onSent                      js.Value // the loader's, which express goes with
	onFirm                      js.Value // the loader's, where it may drop messages: is told of a push that it may not
	express                     int      // what the loader calls onBatch's owner, whom it hands itself what comes the short way; 0: nobody
}

func readConnectOptions(v js.Value) (connectOptions, error) {
	var o connectOptions
	if absent(v) {
		return o, nil
	}
	var keepAlive, timeout, expiry, age int
	qos := 1
	var transport string
	f := fieldsOf("options", v)
	f.number("keepAlive", 1, 65535, &keepAlive)
	f.number("qos", 0, 2, &qos)
	f.number("protocol", 3, 5, &o.Protocol)
	f.text("displacement", &o.Displacement)
	f.flag("cleanStart", &o.CleanStart)
	f.number("sessionExpiry", 0, maxTimeout, &expiry)
	f.pairs("userProperties", &o.UserProperties)
	f.number("maxQueue", 1, maxTimeout, &o.MaxQueue)
	f.number("queueAge", 1, maxTimeout, &age)
	f.text("transport", &transport)
	f.text("path", &o.Path)
	f.number("timeout", 1, maxTimeout, &timeout)
	f.function("onMessage", &o.onMessage)
	f.function("onState", &o.onState)
	f.function("onBatch", &o.onBatch)
	f.function("onSent", &o.onSent)
	f.function("onFirm", &o.onFirm)
	f.number("express", 1, maxTimeout, &o.express)
	o.KeepAlive = uint16(keepAlive)
	level := byte(qos)
	o.QoS = &level
	o.Transport = kiiweb.Transport(transport)
	o.SessionExpiry = time.Duration(expiry) * time.Second
	o.QueueAge = time.Duration(age) * time.Millisecond
	o.Timeout = time.Duration(timeout) * time.Millisecond
	return o, f.err
}

// connect is the method of that name; its first argument is the client's handle.
func (a *app) connect(args []js.Value) any {
	handle, args := args[0].Int(), args[1:]
	return promise(args, 1, func(ctx context.Context) (any, error) {
		client, err := a.client(handle)
		if err != nil {
			return nil, err
		}
		endpoint, err := readEndpoint(arg(args, 0))
		if err != nil {
			return nil, err
		}
		o, err := readConnectOptions(arg(args, 1))
		if err != nil {
			return nil, err
		}
		return a.open(ctx, client, endpoint, o)
	})
}

func (a *app) open(ctx context.Context, client *kiiweb.Client, endpoint kiiweb.Endpoint, o connectOptions) (any, error) {
	l := &link{}
	handle := a.connections.add(l)
	l.object = bound(a.linkMethods, handle)
	l.object.Set("state", string(kiiweb.StateIdle))
	l.tell, l.batch = o.onState, o.onBatch
	o.OnMessages, o.HandOver = deliverer(o, l.closed, l.dropped)
	o.OnState = func(c kiiweb.Change) {
		if c.State == kiiweb.StateClosed || c.State == kiiweb.StateFailed {
			a.connections.remove(handle)
		}
		l.changed(c)
	}
	conn, err := client.Connect(ctx, endpoint, o.ConnectOptions)
	if err != nil {
		a.connections.remove(handle)
		return nil, err
	}
	l.conn = conn
	if o.express != 0 {
		conn.Express(int32(o.express), firmer(o.onFirm))
		l.sent = &receipts{onSent: o.onSent}
		l.object.Set("send", bind.Invoke(a.linkSend, js.Undefined(), handle))
		l.object.Set("forget", bind.Invoke(a.linkForget, js.Undefined(), handle))
		l.object.Set("unseen", bind.Invoke(a.linkUnseen, js.Undefined(), handle))
	}
	return l.object, nil
}

// deliverer gives the function that takes batches of messages to JavaScript, for one of
// OnMessages and HandOver. Once closed is true a page that gets them one by one gets no more; dropped is newEncoder's.
func deliverer(o connectOptions, closed func() bool, dropped func() int) (handle func([]kiiweb.Message), handOver func([]kiiweb.Message) (wait func() (stop uint16))) {
	switch {
	case o.onBatch.Truthy():
		return nil, newEncoder(o.onBatch, dropped).deliver
	case o.onMessage.Truthy():
		return func(batch []kiiweb.Message) {
			for _, m := range batch {
				if closed() {
					return
				}
				invoke(o.onMessage, messageToJS(m))
			}
		}, nil
	}
	return func([]kiiweb.Message) {}, nil // the page only sends
}

// firmer gives the function that tells f of a push; nil: nobody wants to know.
func firmer(f js.Value) func(property []byte) {
	if !f.Truthy() {
		return nil
	}
	return func(property []byte) { invoke(f, jsx.Uint8Array(property)) }
}

// link is one connection as JavaScript sees it.
type link struct {
	conn   *kiiweb.Connection // nil until it stands
	object js.Value
	tell   js.Value
	batch  js.Value  // the loader's
	lost   int       // messages dropped that the loader was told of
	sent   *receipts // nil without the loader
}

// dropped gives how many messages were dropped since it was asked before.
func (l *link) dropped() int {
	if l.conn == nil {
		return 0 // it is asked again
	}
	n := l.conn.Dropped() - l.lost
	l.lost += n
	return n
}

// closed tells whether the page has closed it.
func (l *link) closed() bool { return l.conn != nil && l.conn.State().State == kiiweb.StateClosed }

// changed keeps object.state, and tells the page. The page may have done anything to its object.
func (l *link) changed(c kiiweb.Change) {
	_ = jsx.Set(l.object, "state", string(c.State))
	if l.batch.Truthy() {
		if n := l.dropped(); n > 0 {
			invoke(l.batch, jsx.Uint8Array(nil), 0, []any{}, 0, n)
		}
	}
	if l.tell.Truthy() {
		invoke(l.tell, changeToJS(c))
	}
}

// linkFunctions makes the functions of connections, whose first argument is the handle.
func (a *app) linkFunctions() map[string]js.Value {
	methods := map[string]struct {
		arity int
		call  func(ctx context.Context, conn *kiiweb.Connection, args []js.Value) (any, error)
	}{
		"publish":     {2, publish},
		"subscribe":   {1, subscribe},
		"unsubscribe": {1, unsubscribe},
		"takeBack": {0, func(_ context.Context, conn *kiiweb.Connection, _ []js.Value) (any, error) {
			return js.Undefined(), conn.TakeBack()
		}},
		"close": {0, func(ctx context.Context, conn *kiiweb.Connection, _ []js.Value) (any, error) {
			return js.Undefined(), conn.Close(ctx)
		}},
	}
	functions := map[string]js.Value{"wake": jsx.NewFunc(a.wake).Value()}
	for name, m := range methods {
		functions[name] = jsx.NewFunc(func(args []js.Value) any {
			handle, args := args[0].Int(), args[1:]
			return promise(args, m.arity, func(ctx context.Context) (any, error) {
				l, open := a.connections.get(handle)
				switch {
				case open:
					return m.call(ctx, l.conn, args)
				case name == "close":
					return js.Undefined(), nil
				}
				return nil, fault.New(fault.Closed, "The connection has ended.")
			})
		}).Value()
	}
	return functions
}

// wake takes the name of what happened.
func (a *app) wake(args []js.Value) any {
	if l, open := a.connections.get(args[0].Int()); open {
		go l.conn.Wake(causeOf(args))
	}
	return js.Undefined()
}

func publish(ctx context.Context, conn *kiiweb.Connection, args []js.Value) (any, error) {
	topic, err := jsx.String("topic", arg(args, 0))
	if err != nil {
		return nil, err
	}
	payload, err := readPayload(arg(args, 1))
	if err != nil {
		return nil, err
	}
	m := kiiweb.Message{Topic: topic, Payload: payload}
	var properties []byte
	if m.QoS, err = readQoS(arg(args, 2), &m.Retain, &properties); err != nil {
		return nil, err
	}
	if properties != nil {
		m = m.WithRawProperties(properties)
	}
	return js.Undefined(), conn.Publish(ctx, m)
}

func subscribe(ctx context.Context, conn *kiiweb.Connection, args []js.Value) (any, error) {
	filter, err := jsx.NonEmpty("filter", arg(args, 0))
	if err != nil {
		return nil, err
	}
	qos, err := readQoS(arg(args, 1), new(bool), new([]byte))
	if err != nil {
		return nil, err
	}
	granted, err := conn.Subscribe(ctx, filter, qos)
	return int(granted), err
}

func unsubscribe(ctx context.Context, conn *kiiweb.Connection, args []js.Value) (any, error) {
	filter, err := jsx.NonEmpty("filter", arg(args, 0))
	if err != nil {
		return nil, err
	}
	return js.Undefined(), conn.Unsubscribe(ctx, filter)
}

// readQoS reads { qos, retain, rawProperties }; without, the QoS is 1.
func readQoS(options js.Value, retain *bool, properties *[]byte) (byte, error) {
	qos := 1
	if absent(options) {
		return 1, nil
	}
	f := fieldsOf("options", options)
	f.number("qos", 0, 2, &qos)
	f.flag("retain", retain)
	if name, v, given := f.get("rawProperties"); given {
		var ok bool
		if *properties, ok = jsx.Bytes(v); !ok {
			f.err = fault.New(fault.InvalidArgument, name+" must be a Uint8Array.")
		}
	}
	return byte(qos), f.err
}

// maxPayload is the size in bytes of the largest message that a page may send. It
// bounds the module's memory; brokers allow less.
const maxPayload = 16 << 20

// readPayload reads text or bytes, once they are known to be small enough to be copied.
func readPayload(v js.Value) ([]byte, error) {
	if jsx.TypeOf(v) == js.TypeString {
		if jsx.TextLength(v) <= maxPayload {
			if b := []byte(v.String()); len(b) <= maxPayload {
				return b, nil
			}
		}
		return nil, payloadTooLarge()
	}
	if size, err := jsx.Get(v, "byteLength"); err == nil && jsx.TypeOf(size) == js.TypeNumber && size.Float() > maxPayload {
		return nil, payloadTooLarge()
	}
	if b, ok := jsx.Bytes(v); ok {
		return b, nil
	}
	return nil, fault.New(fault.InvalidArgument, "payload must be a string, a Uint8Array or an ArrayBuffer.")
}

func payloadTooLarge() error {
	return fault.New(fault.PacketTooLarge, "The payload is larger than 16 MiB.")
}
