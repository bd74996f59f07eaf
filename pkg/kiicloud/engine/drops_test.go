package engine

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// Full queues are said, but not with a line for each push; how many there were is said as well when no more follow, and at the end.
func TestDropsDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var count atomic.Int64
		var log bytes.Buffer
		d := drops{count: &count, log: slog.New(slog.NewTextHandler(&log, nil))}
		said := func(what string) {
			t.Helper()
			synctest.Wait()
			d.mu.Lock() // with which the log is written
			defer d.mu.Unlock()
			if what == "" {
				assert.Empty(t, log.String())
			} else {
				assert.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
				assert.Contains(t, log.String(), what)
			}
			log.Reset()
		}
		d.note(nil)
		d.note(map[string]int{"a": 0})
		said("")
		d.note(map[string]int{"a": 2, "b": 1, "c": 0})
		said("times=2 dropped=3")
		for range 1000 {
			time.Sleep(dropsEvery / 2000)
			d.note(map[string]int{"a": 1})
		}
		said("")
		time.Sleep(dropsEvery)
		said("installation=a times=1000 dropped=1000")
		d.note(map[string]int{"b": 1})
		said("")
		time.Sleep(dropsEvery)
		said("installation=b times=1 dropped=1")
		time.Sleep(2 * dropsEvery)
		said("")
		d.note(map[string]int{"b": 1})
		said("dropped=1")
		d.note(map[string]int{"b": 4})
		said("")
		d.close()
		said("dropped=4")
		assert.EqualValues(t, 1009, count.Load())
	})
}
