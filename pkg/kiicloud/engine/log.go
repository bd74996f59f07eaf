package engine

import (
	"context"
	"log/slog"
)

// brokerLog passes the broker's log on at level debug and with harmless attributes only:
// the broker logs whole packets, payloads and passwords included, and as warnings.
type brokerLog struct{ next slog.Handler }

// harmless are the attributes of the broker's log that hold nothing a client sent but its
// client identifier.
var harmless = map[string]bool{"client": true, "remote": true, "error": true, "keepalive": true, "hook": true}

func (l brokerLog) Enabled(ctx context.Context, _ slog.Level) bool {
	return l.next.Enabled(ctx, slog.LevelDebug)
}

func (l brokerLog) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, slog.LevelDebug, "broker: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if harmless[a.Key] {
			out.AddAttrs(a)
		}
		return true
	})
	return l.next.Handle(ctx, out)
}

func (l brokerLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	var kept []slog.Attr
	for _, a := range attrs {
		if harmless[a.Key] {
			kept = append(kept, a)
		}
	}
	return brokerLog{l.next.WithAttrs(kept)}
}

// WithGroup drops the group: what it would hold is filtered by name.
func (l brokerLog) WithGroup(string) slog.Handler { return l }
