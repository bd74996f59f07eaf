package kiicloud

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoMoreConnectionsThanOpenFiles(t *testing.T) {
	for name, c := range map[string]struct {
		set, files, want int
		host             string
		said             bool
	}{
		"enough files":                    {100_000, 200_000, 100_000, "push.example", false},
		"too few":                         {100_000, 20_000, 20_000 - filesKept, "push.example", true},
		"just enough":                     {1000, 1000 + filesKept, 1000, "push.example", false},
		"any number":                      {0, 20_000, 20_000 - filesKept, "push.example", true},
		"hardly any":                      {100_000, 100, 50, "push.example", true},
		"on this machine nobody minds":    {100_000, 20_000, 20_000 - filesKept, "", false},
		"the limit is not known":          {100_000, 0, 100_000, "push.example", false},
		"nor is there one of connections": {0, 0, 0, "push.example", false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			cfg := Config{HTTP: "127.0.0.1:0", Host: c.host, MaxConnections: c.set, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			assert.Equal(t, c.want, cfg.connections(c.files))
			assert.Equal(t, c.said, log.Len() > 0, log.String())
		})
	}
}
