package engine

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Full queues are said, but not with a line for each push.
func TestDropsDoNotFillTheLog(t *testing.T) {
	var count atomic.Int64
	var log bytes.Buffer
	at := time.Now()
	d := drops{count: &count, log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return at }}
	lines := func() int { return strings.Count(log.String(), "\n") }
	d.note(nil)
	d.note(map[string]int{"a": 0})
	assert.Zero(t, lines())
	d.note(map[string]int{"a": 2, "b": 1, "c": 0})
	assert.Equal(t, 1, lines(), log.String())
	assert.Contains(t, log.String(), "queues=2 dropped=3")
	for range 1000 {
		at = at.Add(dropsEvery / 2000)
		d.note(map[string]int{"a": 1})
	}
	assert.Equal(t, 1, lines(), log.String())
	log.Reset()
	at = at.Add(dropsEvery)
	d.note(map[string]int{"b": 1})
	assert.Equal(t, 1, lines(), log.String())
	assert.Contains(t, log.String(), `installation=b queues=1 dropped=1 before=1000`)
	assert.EqualValues(t, 1004, count.Load())
}
