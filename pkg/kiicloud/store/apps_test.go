package store

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All that an app has goes, and nothing of another's.
func TestDeleteApp(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, clk := context.Background(), newClock()
		s := open(t, t.TempDir(), clk.Now)
		gone := []life{live(t, s, Owner{"app", OwnerUser, "x"}), live(t, s, Owner{"app", OwnerThing, "y"})}
		stays := live(t, s, Owner{"app2", OwnerUser, "x"})
		var ids []string
		for _, l := range append(gone, stays) {
			ids = append(ids, l.installation.ID)
		}
		for n := range smallGroup { // so many that the payload is shared
			more, _, err := s.Install(ctx, Installation{Owner: Owner{"app2", OwnerUser, "more-" + strconv.Itoa(n)}, DeviceType: "MQTT"})
			require.NoError(t, err)
			ids = append(ids, more.ID)
		}
		_, err := s.EnqueueAll(ctx, Push{MessageID: "to many", Payload: []byte("{}")}, ids)
		require.NoError(t, err)
		all := []Rows{{"queue", 4}, {"bucket_subscriptions", 4}, {"objects", 4}, {"topic_subscriptions", 4}, {"topics", 4},
			{"installations", 2}, {"tokens", 2}, {"things", 1}, {"users", 1}}
		of2 := []Rows{{"queue", 2 + smallGroup}, {"bucket_subscriptions", 2}, {"objects", 2}, {"topic_subscriptions", 2}, {"topics", 2},
			{"installations", 1 + smallGroup}, {"tokens", 1}, {"users", 1}}

		counts, err := s.CountApp(ctx, "app")
		require.NoError(t, err)
		assert.Equal(t, all, counts)
		s.endings = true
		counts, err = s.DeleteApp(ctx, "app")
		require.NoError(t, err)
		assert.Equal(t, all, counts)
		counts, err = s.CountApp(ctx, "app")
		require.NoError(t, err)
		assert.Empty(t, counts)
		counts, err = s.CountApp(ctx, "app2")
		require.NoError(t, err)
		assert.Equal(t, of2, counts)
		assert.Equal(t, 1, s.count(t, "bodies"), "somebody waits for it")
		clk.Advance(endingGrace)
		due, err := s.TakeEndings(ctx, clk.Now(), 100)
		require.NoError(t, err)
		var topics []string
		for _, e := range due {
			assert.Equal(t, EndingRemoved, e.Kind)
			topics = append(topics, e.Topic)
		}
		assert.ElementsMatch(t, []string{gone[0].installation.Topic, gone[1].installation.Topic}, topics)

		_, err = s.DeleteApp(ctx, "app2")
		require.NoError(t, err)
		for _, table := range append([]string{"bodies"}, ofApp...) {
			assert.Zero(t, s.count(t, table), table)
		}
		counts, err = s.DeleteApp(ctx, "app2")
		require.NoError(t, err)
		assert.Empty(t, counts, "there is nothing of it any more")
	})
}

// A table that is added with an app's rows has to be emptied, too.
func TestEveryTableWithAnAppIsEmptied(t *testing.T) {
	s := open(t, t.TempDir(), newClock().Now)
	rows, err := s.read.Query(`SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name IN ('app_id', 'installation_id')`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var table string
		require.NoError(t, rows.Scan(&table))
		if table != "endings" { // what the broker is still to be told
			assert.Contains(t, ofApp, table)
		}
	}
	require.NoError(t, rows.Err())
}
