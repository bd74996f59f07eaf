package store

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkPushToMany measures one message to a topic with 30,000 subscribers who are all away, on each store, from the look for them until it is
// stored: one transaction, for which other writes wait.
func BenchmarkPushToMany(b *testing.B) {
	const many = 30_000
	ctx := context.Background()
	for _, on := range []struct {
		name string
		open opener
	}{{"SQLite", open}, {"PostgreSQL", openPostgres}} {
		b.Run(on.name, func(b *testing.B) {
			s := on.open(b, b.TempDir(), nil)
			topic, err := s.CreateTopic(ctx, Topic{Scope: Scope{AppID: "app", Kind: ScopeApp}, Name: "news"})
			require.NoError(b, err)
			require.NoError(b, s.writer.doMany(ctx, many, func(x tx) error {
				for n := range many {
					user := strconv.Itoa(n)
					if err := x.exec(insertSubscription, topic.ID, "app", "USER", user, 1); err != nil {
						return err
					}
					if _, err := scanInstallation(x.row(install, NewID(), NewID(), "app", "USER", user, "MQTT", 0, NewID(), 1, 1)); err != nil {
						return err
					}
				}
				return nil
			}))
			for b.Loop() {
				to, err := s.TopicReceivers(ctx, topic.ID, "MQTT", Environments{Development: true, Production: true})
				require.NoError(b, err)
				ids := make([]string, len(to))
				for n, i := range to {
					ids[n] = i.ID
				}
				done, err := s.EnqueueAll(ctx, Push{MessageID: NewID(), Payload: make([]byte, 100)}, ids)
				require.NoError(b, err)
				require.Len(b, done.Places, many)
			}
		})
	}
}

// A push changes a row of each receiver, which is most of what it costs PostgreSQL unless that leaves the indexes alone.
func TestAPushLeavesTheIndexesOfInstallationsAlone(t *testing.T) {
	s := openPostgres(t, t.TempDir(), nil)
	ids := installMany(t, s, 1000)
	size := func() int { return count(t, s, `SELECT pg_indexes_size('installations')`) }
	before := size()
	for n := range 10 {
		enqueueAll(t, s, strconv.Itoa(n), ids...)
	}
	require.Less(t, size(), before*5/4, "somebody else's look at the table may keep it from that for a while")
}
