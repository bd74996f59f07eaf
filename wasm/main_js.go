package main

import (
	"syscall"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// handover is the environment variable by which the loader names a property of the global
// object. It holds the loader's class of errors, the functions by which it makes WebSockets and listens to them, a fetch of its
// own where it has a debug log, and a function that takes the exports and what goes with them for the short way.
const handover = "KIIWEB_HANDOVER"

func main() {
	exports := newApp().global()
	if name, private := syscall.Getenv(handover); private {
		handOver(name, exports)
	} else if err := jsx.Set(js.Global(), "kiiweb", exports); err != nil {
		println("kiiweb: the global kiiweb cannot be set: " + err.Error())
	}
	select {} // the page calls in from now on
}

// handOver gives the exports to the loader, and takes the property away first.
func handOver(name string, exports js.Value) {
	offer, err := jsx.Get(js.Global(), name)
	if err != nil || jsx.TypeOf(offer) != js.TypeObject {
		return // the loader sees that nothing came
	}
	js.Global().Delete(name)
	if class, err := jsx.Get(offer, "KiiError"); err == nil {
		jsx.UseErrorClass(class)
	}
	if listen, err := jsx.Get(offer, "listen"); err == nil && jsx.TypeOf(listen) == js.TypeFunction {
		transport.UseListener(listen)
	}
	if dial, err := jsx.Get(offer, "dial"); err == nil && jsx.TypeOf(dial) == js.TypeFunction {
		transport.UseDialer(dial)
	}
	if fetch, err := jsx.Get(offer, "fetch"); err == nil && jsx.TypeOf(fetch) == js.TypeFunction {
		transport.UseFetch(offer)
	}
	_, _ = jsx.Call(offer, "take", exports, expressExports())
}
