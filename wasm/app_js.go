package main

import (
	"context"
	"maps"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// app holds what the page has made.
//
// Its JavaScript functions are made once and live as long as the program: what belongs
// to one client or one connection is a function bound to its handle. So nothing has to
// be released, and a page may call an old connection's functions for ever.
type app struct {
	clients     registry[*kiiweb.Client]
	connections registry[*link]

	clientMethods map[string]js.Value
	linkMethods   map[string]js.Value

	linkSend, linkForget, linkUnseen js.Value // for the loader
}

// firstClient is the handle of the client behind the global.
const firstClient = 0

func newApp() *app {
	a := &app{clients: newRegistry[*kiiweb.Client](), connections: newRegistry[*link]()}
	a.clients.add(nil) // firstClient, until init
	a.clientMethods = a.functions(clientMethods[:])
	maps.Copy(a.clientMethods, a.functions(compatMethods[:]))
	a.clientMethods["connect"] = jsx.NewFunc(a.connect).Value()
	a.clientMethods["wake"] = a.signal((*kiiweb.Client).Wake)
	a.clientMethods["pause"] = a.signal((*kiiweb.Client).Pause)
	a.linkMethods = a.linkFunctions()
	a.linkSend, a.linkForget, a.linkUnseen = jsx.NewFunc(a.send).Value(), jsx.NewFunc(a.forget).Value(), jsx.NewFunc(a.unseen).Value()
	return a
}

// global makes the object that the page, or the loader, gets.
func (a *app) global() js.Value {
	o := bound(a.clientMethods, firstClient)
	o.Set("version", kiiweb.Version)
	o.Set("init", a.setUp(func(c *kiiweb.Client) any {
		a.clients.set(firstClient, c)
		return js.Undefined()
	}))
	o.Set("create", a.setUp(func(c *kiiweb.Client) any { return bound(a.clientMethods, a.clients.add(c)) }))
	return o
}

// setUp makes a function that takes a configuration and keeps the client made of it.
func (a *app) setUp(keep func(*kiiweb.Client) any) js.Value {
	return jsx.NewFunc(func(args []js.Value) any {
		return promise(args, 1, func(context.Context) (any, error) {
			config, err := readConfig(arg(args, 0))
			if err != nil {
				return nil, err
			}
			client, err := kiiweb.New(config)
			if err != nil {
				return nil, err
			}
			return keep(client), nil
		})
	}).Value()
}

// signal makes a function that tells a client of what happened to the page or its network.
// It has done so when it returns: a page that goes away has no later.
func (a *app) signal(tell func(*kiiweb.Client, string)) js.Value {
	return jsx.NewFunc(func(args []js.Value) any {
		if client, _ := a.clients.get(args[0].Int()); client != nil {
			go tell(client, causeOf(args))
		}
		return js.Undefined()
	}).Value()
}

// causeOf gives the name of what happened, argument 1. Anything else is as good as nothing.
func causeOf(args []js.Value) string {
	cause, err := jsx.NonEmpty("cause", arg(args, 1))
	if err != nil {
		return "wake"
	}
	return cause
}

// functions makes a JavaScript function of each method. Its first argument is the
// client's handle, which bound has put there.
func (a *app) functions(methods []method) map[string]js.Value {
	functions := make(map[string]js.Value, len(methods))
	for i := range methods {
		m := &methods[i]
		functions[m.name] = jsx.NewFunc(func(args []js.Value) any {
			handle, args := args[0].Int(), args[1:]
			return promise(args, m.arity, func(ctx context.Context) (any, error) {
				client, err := a.client(handle)
				if err != nil {
					return nil, err
				}
				return m.run(ctx, client, args)
			})
		}).Value()
	}
	return functions
}

func (a *app) client(handle int) (*kiiweb.Client, error) {
	client, _ := a.clients.get(handle)
	if client == nil {
		return nil, fault.New(fault.InvalidArgument, "kiiweb.init(config) must be called first.")
	}
	return client, nil
}

// promise does work in the background, in a context that ends as the call's options say;
// they are argument number at.
func promise(args []js.Value, at int, work func(context.Context) (any, error)) js.Value {
	return jsx.NewPromise(func() (any, error) {
		ctx, cancel, err := callContext(arg(args, at))
		if err != nil {
			return nil, err
		}
		defer cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return work(ctx)
	})
}

// bound makes an object of functions that are called with handle in front.
func bound(functions map[string]js.Value, handle int) js.Value {
	o := object.New()
	for name, f := range functions {
		o.Set(name, bind.Invoke(f, js.Undefined(), handle))
	}
	return o
}
