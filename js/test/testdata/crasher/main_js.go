//go:build js

// Command crasher is a Go program for the loader's tests: it is handed over like the real
// one, and dies in every way that a Go program can.
package main

import (
	"os"
	"syscall/js"
	"time"
)

func main() {
	offer := js.Global().Get(os.Getenv("KIIWEB_HANDOVER"))
	js.Global().Delete(os.Getenv("KIIWEB_HANDOVER"))
	promise := js.Global().Get("Promise")
	exports := map[string]any{
		"login":  function(func([]js.Value) any { return promise.Call("resolve", map[string]any{"userID": "u", "token": "t"}) }),
		"echo":   function(func(args []js.Value) any { return promise.Call("resolve", args[0]) }),
		"reject": function(func(args []js.Value) any { return promise.Call("reject", offer.Get("KiiError").New("no", args[0])) }),
		"never":  function(func([]js.Value) any { return promise.New(function(func([]js.Value) any { return nil })) }),
		"panic":  function(func([]js.Value) any { panic("out of biscuits") }),
		"exit":   function(func([]js.Value) any { os.Exit(3); return nil }),
		// A setter that throws does so straight through the program.
		"poke": function(func(args []js.Value) any { args[0].Set("x", 1); return nil }),
		"later": function(func([]js.Value) any {
			go func() {
				time.Sleep(time.Millisecond)
				panic("out of time")
			}()
			return nil
		}),
		"connect": function(func(args []js.Value) any {
			o := args[1]
			o.Get("onState").Invoke(map[string]any{"state": "online", "reason": ""})
			if args[0].Get("host").String() == "ends" {
				o.Get("onState").Invoke(map[string]any{"state": "closed", "reason": ""})
			}
			return promise.Call("resolve", map[string]any{
				"close": function(func([]js.Value) any { return promise.Call("resolve") }),
				"wake":  function(func([]js.Value) any { return nil }),
			})
		}),
		"init":     function(func(args []js.Value) any { return note("init", args) }),
		"useToken": function(func(args []js.Value) any { return note("useToken", args) }),
		"notes":    function(func([]js.Value) any { return promise.Call("resolve", notes) }),
	}
	offer.Call("take", exports)
	select {}
}

// notes is what was called, in order, for the tests to see.
var notes = js.Global().Get("Array").New()

func note(name string, args []js.Value) any {
	notes.Call("push", name+" "+js.Global().Get("JSON").Call("stringify", args[0]).String())
	return js.Global().Get("Promise").Call("resolve")
}

func function(f func(args []js.Value) any) js.Value {
	return js.FuncOf(func(_ js.Value, args []js.Value) any { return f(args) }).Value
}
