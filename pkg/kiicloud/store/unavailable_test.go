package store

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is said of a server that ends, or is killed, in the middle of an answer differs with how far it had come.
func TestAConnectionThatEndsIsAnUnavailableDatabase(t *testing.T) {
	for _, why := range []error{
		io.ErrUnexpectedEOF, io.EOF, &net.OpError{Op: "read", Err: os.NewSyscallError("read", fmt.Errorf("connection reset by peer"))}, ErrLocked,
	} {
		assert.ErrorIs(t, wrap("enqueue a push", fmt.Errorf("commit: %w", why)), ErrUnavailable, "%v", why)
	}
	for _, why := range []error{context.DeadlineExceeded, fmt.Errorf("a defect")} {
		assert.NotErrorIs(t, wrap("enqueue a push", fmt.Errorf("commit: %w", why)), ErrUnavailable, "%v", why)
	}
}
