package store

import (
	"context"
	"strconv"
	"testing"
	"time"

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

// However much an app has, it goes in transactions that others need not wait long for, and that a database elsewhere has the time for.
func TestALargeAppGoesInPieces(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, clk := context.Background(), newClock()
		s := open(t, t.TempDir(), clk.Now)
		s.endings = true
		const many = 2*appChunk + 1
		require.NoError(t, s.writer.doMany(ctx, many, func(x tx) error {
			if err := x.exec(`INSERT INTO installations (id, registration_id, app_id, owner_kind, owner_id, device_type, development, topic, created_at, ready_at, last_seq)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				SELECT 'i' || i, 'r' || i, 'app', 'USER', 'u' || i, 'MQTT', 0, 't' || i, 1, 1, 1 FROM n`, many); err != nil {
				return err
			}
			return x.exec(`INSERT INTO queue (installation_id, seq, message_id, payload, created_at, expires_at)
				SELECT id, 1, 'm', $1, 1, 9000000000000 FROM installations`, []byte("{}"))
		}))
		other := installFor(t, s, "of another app")
		require.NoError(t, s.writer.do(ctx, func(x tx) error { return x.exec(`UPDATE installations SET app_id = 'app2' WHERE id = $1`, other.ID) }))
		counts, err := s.DeleteApp(ctx, "app")
		require.NoError(t, err)
		assert.Equal(t, []Rows{{"queue", many}, {"installations", many}}, counts)
		assert.Equal(t, 1, s.count(t, "installations"))
		assert.Zero(t, s.count(t, "queue"))
		clk.Advance(endingGrace)
		due, err := s.TakeEndings(ctx, clk.Now(), 2*many)
		require.NoError(t, err)
		told := map[string]bool{}
		for _, e := range due {
			told[e.InstallationID] = true
		}
		assert.Len(t, told, many)
	})
}

// A transaction on PostgreSQL has little time, and what an app has may take more than that.
func TestALargeAppIsRemovedThoughATransactionHasLittleTime(t *testing.T) {
	ctx := context.Background()
	s, err := OpenPostgres(ctx, postgresURL(t, t.TempDir()), Options{timeout: time.Second})
	require.NoError(t, err)
	s.sweeper.stop()
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	const many = 2*appChunk + 1
	require.NoError(t, s.writer.doMany(ctx, 10*many, func(x tx) error {
		if err := x.exec(`INSERT INTO objects (app_id, scope_kind, scope_id, bucket, id, version, fields, owner_kind, owner_id, created_at, modified_at)
			SELECT 'app', 'APP', '', 'b', 'o' || i, i % 20, '{}', 'USER', 'u', 1, 1 FROM generate_series(1, CAST($1 AS INT)) AS i`, many); err != nil {
			return err
		}
		if err := x.exec(`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.0075); RETURN OLD; END'`); err != nil {
			return err
		}
		return x.exec(`CREATE TRIGGER dawdle BEFORE DELETE ON objects FOR EACH ROW WHEN (OLD.version = 1) EXECUTE FUNCTION dawdle()`)
	}))
	removed, err := s.empty(ctx, "objects", "app")
	require.NoError(t, err)
	assert.EqualValues(t, many, removed)
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
