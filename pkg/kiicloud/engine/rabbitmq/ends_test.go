package rabbitmq

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
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

// A thing may be connecting while it is disabled: it was let in, and RabbitMQ does not know its connection yet.
func TestWhoWasConnectingWhileItWasDisabledIsEndedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		e, broker := start(t, st)
		noted := store.Ending{Kind: store.EndingDisabled, InstallationID: "a", Topic: "topic-of-a", DueAt: time.Now().Add(30 * time.Second)}
		require.NoError(t, st.PutEnding(t.Context(), noted)) // as the store does when it disables
		e.Disconnect(installation("a"))
		assert.Equal(t, []string{"disconnect a"}, broker.seen())
		time.Sleep(connecting)
		assert.Empty(t, broker.seen())
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"disconnect a"}, broker.seen())
		assert.Empty(t, st.endings())
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
		assert.ElementsMatch(t, []string{"disconnect a", "remove topic-of-a", "disconnect a", "disconnect a", "disconnect b"}, broker.seen())
		time.Sleep(time.Minute)
		assert.Empty(t, broker.seen())
		require.NoError(t, e.Shutdown(context.Background()))
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// A process that dies before RabbitMQ was told leaves that to another one.
func TestAnotherProcessTellsRabbitMQ(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		e, broker := start(t, st)
		broker.set(errFake)
		e.Disconnect(installation("a"))
		require.Error(t, e.Revoke(context.Background(), installation("a")), "which is another ending")
		require.NoError(t, e.Shutdown(context.Background()))
		assert.Len(t, st.endings(), 2)

		other, broker := start(t, st)
		time.Sleep(time.Minute)
		assert.ElementsMatch(t, []string{"disconnect a", "remove topic-of-a", "disconnect a", "disconnect a"}, broker.seen())
		assert.Empty(t, st.endings())
		require.NoError(t, other.Shutdown(context.Background()))
	})
}

// What cannot be written down is said to whoever has asked for it.
func TestAnEndingThatCannotBeNotedIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		e, broker := start(t, st)
		broker.set(errFake)
		st.fail = store.ErrUnavailable
		err := e.Revoke(context.Background(), installation("a"))
		require.ErrorIs(t, err, errFake)
		require.ErrorIs(t, err, store.ErrUnavailable)
		require.NoError(t, e.Shutdown(context.Background()))
	})
}

// A connection ends with the password that let it in, or with the newer one that its client came back with.
func TestAConnectionEndsWithItsPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStore(installation("a"), installation("b"))
		e, broker := start(t, st)
		login := func(id string, ttl time.Duration) {
			t.Helper()
			topic := "topic-of-" + id
			status, answer := q{"/user", "username=" + id + "&vhost=push&client_id=" + topic + "&password=" + e.credentials.Issue(id, topic, ttl)}.ask(t, e.Auth())
			require.Equal(t, 200, status)
			require.Equal(t, "allow", answer)
		}
		login("a", time.Hour)
		login("b", engine.DefaultTTL)
		assert.Len(t, st.endings(), 1, "nobody waits for what is as good as for ever")
		time.Sleep(50 * time.Minute)
		login("a", time.Hour)
		time.Sleep(50 * time.Minute)
		assert.Empty(t, broker.seen())
		time.Sleep(10*time.Minute + 2*endEvery)
		assert.Equal(t, []string{"disconnect a"}, broker.seen())
		assert.Empty(t, st.endings())

		login("a", time.Second) // the connection is not there yet when the password lapses
		time.Sleep(connecting - time.Second)
		assert.Empty(t, broker.seen())
		time.Sleep(connecting + 2*endEvery)
		assert.Equal(t, []string{"disconnect a"}, broker.seen())
		require.NoError(t, e.Shutdown(context.Background()))
	})
}
