package transport_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
	"github.com/kiiweb/kiiweb/internal/transport/testserver"
)

// patience bounds every wait of these tests; nothing waits for it when all is well.
const patience = time.Minute

// TestConformance holds every platform to the same behaviour. Natively it starts the
// servers; in a browser they are started outside and told by environment.
func TestConformance(t *testing.T) {
	s := servers(t)
	groups := []struct {
		name  string
		tests []conformance
	}{
		{"open", openTests},
		{"receive", receiveTests},
		{"send", sendTests},
		{"close", closeTests},
		{"http", httpTests},
		{"http fails", httpFailureTests},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, s) })
			}
		})
	}
}

type conformance struct {
	name string
	run  func(t *testing.T, s testserver.Servers)
}

func context10(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// open dials and closes at the end of the test.
func open(t *testing.T, s testserver.Servers, url string, o transport.Options) transport.Conn {
	t.Helper()
	o.RootCAs = []byte(s.CA)
	conn, err := transport.Dial(context10(t), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// dialError dials in vain.
func dialError(t *testing.T, ctx context.Context, s testserver.Servers, url string, o transport.Options) error {
	t.Helper()
	o.RootCAs = []byte(s.CA)
	conn, err := transport.Dial(ctx, url, o)
	require.Error(t, err)
	require.Nil(t, conn)
	return err
}

// received is what one Read gave.
type received struct {
	data []byte
	err  error
}

// readSoon fails the test when Read does not return in time.
func readSoon(t *testing.T, conn transport.Conn) ([]byte, error) {
	t.Helper()
	return waitFor(t, reading(conn))
}

// reading starts a Read.
func reading(conn transport.Conn) <-chan received {
	result := make(chan received, 1)
	go func() {
		data, err := conn.Read()
		result <- received{data, err}
	}()
	return result
}

func waitFor(t *testing.T, result <-chan received) ([]byte, error) {
	t.Helper()
	select {
	case r := <-result:
		return r.data, r.err
	case <-time.After(patience):
		require.Fail(t, "Read does not return")
		return nil, nil
	}
}

// wantRead reads these messages, in this order.
func wantRead(t *testing.T, conn transport.Conn, messages ...string) {
	t.Helper()
	for _, want := range messages {
		got, err := readSoon(t, conn)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

// wantCode checks the code of a fault.
func wantCode(t *testing.T, code fault.Code, err error) {
	t.Helper()
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	assert.Equal(t, code, f.Code, "%v", err)
}

// wantClose checks how the other side ended the connection.
func wantClose(t *testing.T, code int, reason string, err error) {
	t.Helper()
	var e *transport.CloseError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, code, e.Code)
	assert.Equal(t, reason, e.Reason)
}
