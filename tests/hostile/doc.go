// Package hostile is a broker that breaks the protocol on purpose, and the table of the
// ways in which it does. The same table is played to the native client (here, over TCP
// and WebSocket) and to the built module in Chromium (tests/browser).
//
// A client comes with a client identifier that Expect has given to a row of the table.
// Its first connection is treated as the row says; each later one properly, with a
// message on it: whatever was done to the client, it has to be of use afterwards.
//
// To break the protocol in a new way, add a row to table.go or state.go.
package hostile

import (
	"strconv"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Stage is the point in the life of a connection at which a row's bytes are sent.
type Stage uint8

// The stages.
const (
	Online      Stage = iota // after SUBACK, in answer to the client's Go
	Subscribing              // instead of SUBACK
	Greeting                 // instead of CONNACK
)

// Outcome is what a client has to make of a row.
type Outcome uint8

// The outcomes.
const (
	Retried Outcome = iota // it ends the connection, with an error, and opens the next one
	Failed                 // it ends the connection and stays away: the next one would be no better
	Kept                   // it goes on with the connection: the standard allows it, or asks to overlook it
)

// Go is the payload that the client publishes, at QoS 1 to its own topic, when it is ready
// for the bytes of the stage Online. It is acknowledged when the broker behaves again.
const Go = "go"

// After is the payload of the message that comes when the broker behaves again.
const After = `{"text":"after"}`

// Case is one row: one way to break the protocol.
type Case struct {
	Name string
	In   []mqtt.Version // nil: in all
	At   Stage
	// Bytes is what is sent, in the notation of parse.
	Bytes string
	// Reason is the reason code of the error, and what the broker is told on MQTT 5; 0 for none.
	Reason mqtt.ReasonCode

	End  Outcome
	Code fault.Code // of the error; "" means PROTOCOL_ERROR
	// Mute says that nothing is told to the broker: what it sent was no fault.
	Mute bool
	// Cut ends the transport behind the bytes, as a broker does that goes.
	Cut bool
	// Text sends the bytes as WebSocket text; such a row is for WebSockets only.
	Text bool
	// Raw sends the bytes beneath the frames of WebSockets; for WebSockets only as well.
	Raw bool
	// Native is for a client that reads the frames of WebSockets itself: a browser waits
	// for the whole of one.
	Native bool
	// Times repeats Bytes with packet identifiers from 1 on; 0 means once.
	Times int

	bytes []byte // instead of Bytes
}

// Versions are those that the row is for.
func (c Case) Versions() []mqtt.Version {
	if c.In == nil {
		return []mqtt.Version{mqtt.V5, mqtt.V311, mqtt.V31}
	}
	return c.In
}

// ErrorCode is the code of the error that a client reports.
func (c Case) ErrorCode() fault.Code {
	if c.Code == "" {
		return fault.ProtocolError
	}
	return c.Code
}

// Messages is how many of the row's packets are messages that a client hands on.
func (c Case) Messages() int {
	if c.End != Kept || c.Bytes[0] != '3' {
		return 0
	}
	return max(1, c.Times)
}

// Title names the row and the version in a test.
func (c Case) Title(v mqtt.Version) string {
	return map[mqtt.Version]string{mqtt.V5: "5", mqtt.V311: "3.1.1", mqtt.V31: "3.1"}[v] + " " +
		[...]string{"online", "subscribing", "greeting"}[c.At] + " " + c.Name
}

// ClientID is the client identifier for the n-th row in a version.
func ClientID(n int, v mqtt.Version) string {
	return "hostile-" + strconv.Itoa(n) + "-" + strconv.Itoa(int(v))
}
