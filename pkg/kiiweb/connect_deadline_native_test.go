//go:build !js

package kiiweb

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// deadline is a context whose deadline passes when a test says so: what has to happen
// before it is awaited, not timed.
type deadline struct {
	context.Context
	passed chan struct{}
}

func newDeadline() *deadline {
	return &deadline{Context: context.Background(), passed: make(chan struct{})}
}

func (d *deadline) Done() <-chan struct{} { return d.passed }

func (d *deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// passOnWaiting lets the deadline pass when the first attempt has failed.
func (d *deadline) passOnWaiting(ch Change) {
	if ch.State == StateWaiting {
		select {
		case <-d.passed:
		default:
			close(d.passed)
		}
	}
}

// unreachable is an endpoint where nobody listens.
func unreachable(t *testing.T) Endpoint {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := endpointAt("127.0.0.1")
	e.PortTCP = ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	return e
}

func TestConnectTimesOut(t *testing.T) {
	client := serve(t).client()
	e := unreachable(t)
	before := goleak.IgnoreCurrent()
	seen := &recorder{}
	_, err := client.Connect(context.Background(), e,
		ConnectOptions{Transport: TransportTCP, Timeout: 100 * time.Millisecond, OnState: seen.add})
	fails(t, err, CodeTimeout, "not ready")
	goleak.VerifyNone(t, before)
	assert.Equal(t, StateClosed, seen.last().State, "nothing remains")
}

func TestConnectTimesOutWithTheLastCause(t *testing.T) {
	client := serve(t).client()
	e := unreachable(t)
	before := goleak.IgnoreCurrent()
	end := newDeadline()
	_, err := client.Connect(end, e, ConnectOptions{Transport: TransportTCP, OnState: end.passOnWaiting})
	outer := fails(t, err, CodeTimeout, "not ready")
	assert.Equal(t, CodeNetwork, CodeOf(outer.Cause), "the last cause is inside")
	var inner *Error
	require.ErrorAs(t, outer.Cause, &inner)
	assert.Contains(t, outer.Message, inner.Message, "and in the message: few look further")
	assert.Equal(t, 1, strings.Count(outer.Error(), inner.Message), "and once where the causes are told, too")
	assert.Contains(t, outer.Remedy, "Check the connection", "more time alone would not help")
	goleak.VerifyNone(t, before)
}

func TestConnectDeadlineOfTheContext(t *testing.T) {
	b := startBroker(t)
	b.connack = func(int, *mqtt.Connect) mqtt.ReasonCode { return mqtt.ServerUnavailable }
	end := newDeadline()
	_, err := serve(t).client().Connect(end, b.endpoint(), ConnectOptions{Transport: TransportTCP, OnState: end.passOnWaiting})
	e := fails(t, err, CodeTimeout, "")
	assert.Equal(t, CodeServerError, CodeOf(e.Cause))
}
