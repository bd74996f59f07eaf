package store

import (
	"context"
	"database/sql"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var parameter = regexp.MustCompile(`\$\d+`)

// What is asked while others wait finds its rows by an index, however many rows there are: no
// query reads a whole table, or all that an app has.
func TestQueriesUseAnIndex(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	for name, query := range map[string]string{
		"names taken": userNamesTaken, "a user by name": userByLoginName, "a user by email": userByEmail, "a user by phone": userByPhone,
		"a thing": thingByVendorID, "a token": tokenByHash, "an owner's tokens": deleteTokensBut,
		"an installation": byRegistration, "an installation by topic": byTopic, "an owner's installations": byOwner, "end them": deleteInstallationsOf,
		"a topic": topicByName, "topics": topicsAfter, "a subscription": findSubscription, "receivers": topicReceivers,
		"an object": selectObject, "objects": listObjects, "end objects": deleteObjects, "objects counted": countObjects,
		"places for an event": nextOfSubscribers, "subscribers counted": countSubscribers, "an event": insertOfSubscribers, "full queues": fullOfSubscribers,
		"places for many": largeQueries.next, "a push to many": largeQueries.insert,
		"pending": selectPending, "acknowledge": deletePushes[largeGroup], "acknowledge one": deletePushes[1], "trim": trimQueue, "sweep the queue": sweepQueue, "sweep the tokens": sweepTokens,
		"endings": takeEndings, "an ending": dropEndings, "an owner's endings": endingsOfOwner, "an owner's endings no more": dropEndingsOfOwner,
		"topics counted": countTopics, "subscriptions counted": countTopicSubscriptions, "bucket subscriptions counted": countBucketSubscriptions, "objects of one counted": countObjectsBy,
		"an owner's scope": ofOwner[5], "an owner's topics": ofOwner[3], "an owner's subscriptions": ofOwner[1],
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := s.read.Query("EXPLAIN QUERY PLAN " + parameter.ReplaceAllString(query, "1"))
			plan, err := collect(rows, err, func(r scanner) (step string, err error) {
				var skip sql.RawBytes
				err = r.Scan(&skip, &skip, &skip, &step)
				return step, err
			})
			require.NoError(t, err)
			for _, step := range plan {
				assert.NotRegexp(t, `^SCAN (users|things|tokens|installations|queue|topics|topic_subscriptions|objects|bucket_subscriptions|bodies|endings)\b|\(app_id=\?\)`, step)
			}
		})
	}
}

// Who needs a query that nobody has asked before waits for a connection, and keeps no other from giving up.
func TestAQueryThatIsPreparedHoldsNobodyUp(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir(), nil)
	var one int
	require.NoError(t, s.row(ctx, `SELECT 1`).Scan(&one))
	for range readers {
		c, err := s.read.Conn(ctx)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
	}
	patient, cancel := context.WithCancel(ctx)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		var two int
		first <- s.row(patient, `SELECT 2`).Scan(&two)
	}()
	require.Eventually(t, func() bool { return s.read.Stats().WaitCount > 0 }, time.Minute, time.Millisecond)
	go func() {
		brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		var one int
		second <- s.row(brief, `SELECT 1`).Scan(&one)
	}()
	select {
	case err := <-second:
		require.ErrorIs(t, err, context.DeadlineExceeded)
	case <-time.After(time.Minute):
		t.Error("it does not give up")
	}
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
}
