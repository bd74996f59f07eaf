package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// written gives a log and what was written to it since the last time, a line each.
func written() (*slog.Logger, func() []string) {
	b := new(syncbuf.Buffer)
	log := slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	return log, func() []string {
		defer b.Reset()
		return strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\n' })
	}
}

func TestAnOutageIsToldOfNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := written()
		o := newOutage(log, "it waits", "who")
		o.works("a")
		assert.Empty(t, lines())
		for range 3 * 24 * 60 * 12 { // three days, every five seconds
			for i := range 3 {
				o.fails(fmt.Sprint(i), errors.New("no leader"))
			}
			time.Sleep(5 * time.Second)
		}
		told := lines()
		assert.Less(t, len(told), 85, "about once an hour")
		assert.Equal(t, `level=WARN msg="it waits" who=0 error="no leader"`, told[0])
		assert.Equal(t, `level=WARN msg="it waits, still" count=3 for=1m0s who=0 error="no leader"`, told[1])
		assert.Equal(t, `level=WARN msg="it waits, still" count=3 for=3m0s who=0 error="no leader"`, told[2])
		o.works("1")
		o.works("0")
		o.gone(time.Now(), map[string]bool{"2": true})
		o.gone(time.Now().Add(-time.Hour), nil)
		assert.Empty(t, lines())
		o.gone(time.Now(), nil)
		assert.Equal(t, []string{`level=INFO msg="it waits: over" after=72h0m0s`}, lines())
		o.works("2")
		assert.Empty(t, lines())
		o.fails("2", errors.New("again"))
		assert.Equal(t, []string{`level=WARN msg="it waits" who=2 error=again`}, lines())
	})
}

// What a queue without a leader does not take is tried every few seconds, for days if need be.
func TestEventsThatWaitDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := written()
		st := newStore()
		var all []store.Installation
		for i := range 50 {
			inst := installation(fmt.Sprintf("i%02d", i))
			st.all[inst.ID] = inst
			st.queue(inst.ID, "event")
			all = append(all, inst)
		}
		var well atomic.Bool
		r := startRelay(st, func(context.Context, store.Installation, store.Push) error {
			if !well.Load() {
				return errStuck
			}
			return nil
		}, log)
		r.carry(all, relayPatience)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		told := lines()
		require.Len(t, told, 4, "%q", told)
		assert.Regexp(t, `^level=WARN msg="events wait for RabbitMQ" installation=i\d\d error=`, told[0])
		assert.Regexp(t, `^level=WARN msg="events wait for RabbitMQ, still" count=50 for=1m\ds installation=i\d\d error=`, told[1])
		st.uninstall("i07") // with what waits for it
		require.NoError(t, st.Acknowledge(t.Context(), map[string][]int64{"i07": {8}}))
		well.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		told = lines()
		require.Len(t, told, 1, "%q", told)
		assert.Regexp(t, `^level=INFO msg="events wait for RabbitMQ: over" after=10m\d+s$`, told[0])
		assert.Zero(t, st.left())

		st.set(store.ErrUnavailable)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.Len(t, lines(), 4, "nor does a database that is away")
		st.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, lines(), 1)
		r.close()
	})
}

func TestEndingsThatWaitDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := written()
		st := newStore()
		var well atomic.Bool
		e := startEnds(func(context.Context, store.Ending) error {
			if !well.Load() {
				return errFake
			}
			return nil
		}, st, log)
		require.ErrorIs(t, e.do(t.Context(), store.Ending{Kind: store.EndingRemoved, InstallationID: "a", Topic: "t"}), errFake)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		told := lines()
		require.LessOrEqual(t, len(told), 4)
		require.NotEmpty(t, told)
		assert.Equal(t, `level=WARN msg="connections cannot be ended yet" at=RabbitMQ error="RabbitMQ is out of order"`, told[0])
		well.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, lines(), 1)
		assert.Empty(t, st.endings())
		e.close()
	})
}
