package guard

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"time"
)

// maxAcceptDelay bounds the wait after an Accept that failed, for want of file
// descriptors for instance.
const maxAcceptDelay = time.Second

// ServeTCP accepts connections on ln, plain or TLS, and runs serve for each in a goroutine
// of its own. A panic in serve ends that connection alone. It returns nil when ctx has
// ended, an error when ln cannot go on; either way ln is closed, and connections that are
// being served go on. log hears of what went wrong.
func ServeTCP(ctx context.Context, log *slog.Logger, ln net.Listener, serve func(net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer func() {
		stop()
		_ = ln.Close()
	}()
	for delay := time.Duration(0); ; {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			delay = 0
			go safely(log, conn, serve)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			delay = min(2*delay+5*time.Millisecond, maxAcceptDelay)
			log.Warn("accept failed; trying again", "error", err, "in", delay)
			if !sleep(ctx, delay) {
				return nil
			}
		}
	}
}

// safely runs serve and closes conn, whatever happens.
func safely(log *slog.Logger, conn net.Conn, serve func(net.Conn)) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic while serving a connection", "panic", p, "stack", string(debug.Stack()))
		}
		_ = conn.Close()
	}()
	serve(conn)
}

// sleep waits for d. It reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
