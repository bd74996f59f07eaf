//go:build !js

package kiiweb

// defaultTransports gives what to connect over when the caller left it open, best first.
func defaultTransports(Endpoint) []Transport { return []Transport{TransportSSL, TransportWSS} }

func canDial(Transport) bool { return true }
