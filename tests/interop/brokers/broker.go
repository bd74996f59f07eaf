// Package brokers starts the MQTT brokers that the interop tests talk to, each as a
// process of its own on free loopback ports with a data folder of its own, and stops
// them by their process ids. None of them was written here but the local cloud.
package brokers

import (
	"testing"
)

// Account is who may connect where, at a broker that gives everybody the same rights.
type Account struct{ Username, Password string }

// everybody is the account that all brokers here are set up with.
var everybody = Account{Username: "kiiweb", Password: "a-long-enough-password"}

// Broker is a running broker.
type Broker struct {
	Account
	Name    string
	Version string // as the broker itself says
	TCP     int    // its port on 127.0.0.1 for MQTT over TCP
	WS      int    // for MQTT over WebSocket
	Path    string // of the WebSocket
	// Delivers tells whether the broker still sends what comes for a topic to a connection; nil where
	// it does not do so behind a connection's end.
	Delivers func(t testing.TB, topic string) bool
	// Restart ends the broker in order and starts it again with what it has kept; nil
	// where that is not needed.
	Restart func(t testing.TB)
}

// Start is one of the functions that start a broker until t ends.
type Start func(t testing.TB) *Broker
