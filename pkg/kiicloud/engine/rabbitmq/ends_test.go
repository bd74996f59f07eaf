package rabbitmq

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRevokeEndsTheConnectionThenTheQueueThenWhoWasConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, broker := start(t, newStore())
		require.NoError(t, e.Revoke(context.Background(), installation("a")))
		assert.Equal(t, []string{"disconnect a", "remove topic-of-a", "disconnect a"}, broker.seen())
		e.Disconnect(installation("b"))
		assert.Equal(t, []string{"disconnect b"}, broker.seen())
		time.Sleep(time.Minute)
		assert.Empty(t, broker.seen(), "nothing is left to do")
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// What RabbitMQ could not be told it is told later.
func TestAnEndingThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, broker := start(t, newStore())
		broker.set(errFake)
		require.ErrorIs(t, e.Revoke(context.Background(), installation("a")), errFake)
		assert.Equal(t, []string{"disconnect a", "remove topic-of-a"}, broker.seen(), "the one does not wait for the other")
		e.Disconnect(installation("a"))
		e.Disconnect(installation("b"))
		time.Sleep(time.Minute)
		assert.NotEmpty(t, broker.seen())
		broker.set(nil)
		broker.seen()
		time.Sleep(time.Minute)
		assert.ElementsMatch(t, []string{"disconnect a", "remove topic-of-a", "disconnect a", "disconnect b"}, broker.seen())
		time.Sleep(time.Minute)
		assert.Empty(t, broker.seen())
		require.NoError(t, e.Shutdown(context.Background()))
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// A thing that is disabled and then deleted has two endings. The end of the first leaves the second to be done.
func TestAnEndingForGoodOutlastsOneThatIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		var removed int
		e := startEnds(func(_ context.Context, what ending) error {
			switch {
			case !what.forGood:
				<-goOn
				return nil
			case removed == 0:
				removed++
				return errFake
			}
			removed++
			return nil
		}, slog.New(slog.DiscardHandler))
		first := make(chan error)
		go func() { first <- e.do(t.Context(), ending{inst: installation("a")}) }()
		synctest.Wait()
		require.ErrorIs(t, e.do(t.Context(), ending{inst: installation("a"), forGood: true}), errFake)
		close(goOn)
		require.NoError(t, <-first)
		assert.Len(t, e.waiting(), 1, "the queue is still there")
		time.Sleep(time.Minute)
		assert.Empty(t, e.waiting())
		e.close()
		assert.Equal(t, 2, removed)
	})
}
