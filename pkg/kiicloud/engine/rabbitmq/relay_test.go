package rabbitmq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func TestEventsAreCarriedOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := installation("a"), installation("b")
		st := newStore(a, b)
		e, broker := start(t, st)
		var want []string
		for i := range 250 {
			id := fmt.Sprintf("e%03d", i)
			st.queue("a", id)
			want = append(want, "topic-of-a "+id)
		}
		began := time.Now()
		e.Stored(store.Told{To: []store.Installation{a, b}})
		assert.Zero(t, time.Since(began))
		assert.Equal(t, want, broker.stored())
		assert.Zero(t, st.left())
		e.Stored(store.Told{})
		assert.EqualValues(t, 1, e.Stats().Accepted)
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// What RabbitMQ does not take stays in the store, in order, until it does.
func TestEventsWaitForRabbitMQ(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := installation("a")
		st := newStore(a)
		e, broker := start(t, st)
		broker.set(nil, stored, unknown)
		st.queue("a", "1", "2", "3")
		e.Stored(store.Told{To: []store.Installation{a}})
		assert.Equal(t, []string{"topic-of-a 1"}, broker.stored(), "the third does not overtake the second")
		assert.Equal(t, 2, st.left())
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"topic-of-a 1", "topic-of-a 2", "topic-of-a 3"}, broker.stored())
		assert.Zero(t, st.left())
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// What another process has left behind is carried over, whoever's it was.
func TestWhatWasLeftBehindIsCarriedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		for i := range 250 {
			inst := installation(fmt.Sprintf("i%03d", i))
			st.all[inst.ID] = inst
			st.queue(inst.ID, "left")
		}
		e, broker := start(t, st)
		time.Sleep(5 * time.Second)
		assert.Empty(t, broker.stored(), "it may be somebody's work still")
		time.Sleep(time.Minute)
		assert.Len(t, broker.stored(), 250)
		assert.Zero(t, st.left())
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// A store that fails, or a stop, loses nothing.
func TestTheRelayStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := installation("a")
		st := newStore(a)
		e, broker := start(t, st)
		st.fail = errFake
		st.queue("a", "1")
		e.Stored(store.Told{To: []store.Installation{a}})
		assert.Empty(t, broker.stored())
		require.NoError(t, e.Shutdown(context.Background()))
		e.Stored(store.Told{To: []store.Installation{a}})
		assert.Equal(t, 1, st.left())
	})
}
