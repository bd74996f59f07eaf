package kiiweb

import (
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/jsx"
)

// defaultTransports gives what to connect over when the caller left it open, best
// first. That is wss; but a page that came from this machine over plain http talks to
// a broker on this machine over ws, so that no certificate has to be accepted first.
func defaultTransports(e Endpoint) []Transport {
	if isLoopback(e.Host) && pageIsLocal() {
		return []Transport{TransportWS, TransportWSS}
	}
	return []Transport{TransportWSS}
}

func canDial(t Transport) bool { return t == TransportWSS || t == TransportWS }

// pageIsLocal reports whether the page, or the worker's script, came over http from
// a loopback host.
func pageIsLocal() bool {
	location, err := jsx.Get(js.Global(), "location")
	if err != nil || location.Type() != js.TypeObject {
		return false
	}
	return text(location, "protocol") == "http:" && isLoopback(text(location, "hostname"))
}

func text(object js.Value, name string) string {
	v, err := jsx.Get(object, name)
	if err != nil || v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}
