package kiiweb

import (
	"strconv"
	"strings"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// Transport is how MQTT travels.
type Transport string

// The transports. TransportSSL and TransportTCP are not for browsers.
const (
	TransportWSS Transport = "wss" // WebSocket over TLS, portWSS
	TransportWS  Transport = "ws"  // WebSocket, portWS
	TransportSSL Transport = "ssl" // TLS, portSSL
	TransportTCP Transport = "tcp" // TCP, portTCP
)

// defaultPath is where Kii's broker and the local cloud expect the WebSocket.
const defaultPath = "/mqtt"

// route says how an endpoint is reached.
type route struct {
	transport     Transport // "" chooses the platform's first that the endpoint has a port for
	path          string    // of the WebSocket
	allowInsecure bool
}

// url gives the URL to dial for e. The error is INVALID_ARGUMENT for an endpoint that
// cannot be reached this way, INSECURE where the password would travel unencrypted to
// another machine, or UNSUPPORTED for a transport that the platform lacks.
func (r route) url(e Endpoint) (string, error) {
	if !isHost(e.Host) {
		return "", invalid("the endpoint's host must be a host name or address")
	}
	t, err := r.choose(e)
	if err != nil {
		return "", err
	}
	port, _ := e.port(t)
	if (t == TransportWS || t == TransportTCP) && !isLoopback(e.Host) && !r.allowInsecure {
		return "", fault.New(fault.Insecure, "connect would send the password unencrypted over "+string(t)+":// to "+e.Host)
	}
	url := string(t) + "://" + bracket(e.Host) + ":" + strconv.Itoa(port)
	if t == TransportWSS || t == TransportWS {
		url += r.path
	}
	return url, nil
}

func (r route) choose(e Endpoint) (Transport, error) {
	if r.transport == "" {
		for _, t := range defaultTransports(e) {
			if port, _ := e.port(t); port != 0 {
				return t, nil
			}
		}
		return "", invalid("the endpoint has no port that can be used here by default")
	}
	port, known := e.port(r.transport)
	switch {
	case !known:
		return "", invalid("the transport " + "\"" + string(r.transport) + "\"" + " is unknown; it is one of wss, ws, ssl and tcp")
	case !canDial(r.transport):
		return "", fault.New(fault.Unsupported, "a browser cannot connect over "+string(r.transport)+"://")
	case port == 0:
		return "", invalid("the endpoint has no port for " + string(r.transport))
	}
	return r.transport, nil
}

// port gives the endpoint's port for t; known is false when t is no transport.
func (e Endpoint) port(t Transport) (port int, known bool) {
	switch t {
	case TransportWSS:
		return e.PortWSS, true
	case TransportWS:
		return e.PortWS, true
	case TransportSSL:
		return e.PortSSL, true
	case TransportTCP:
		return e.PortTCP, true
	}
	return 0, false
}

// checkWebSocketPath allows an absolute path without a query.
func checkWebSocketPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return invalid("the WebSocket path must begin with /")
	}
	if err := checkPath(path); err != nil {
		return invalid("the WebSocket path is not usable: " + err.Error())
	}
	return nil
}
