package store

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkFanOut measures what the store does for one message to a topic with 1,000 subscribers who
// are all connected: find them, store the message for them, remove it when they have acknowledged it.
func BenchmarkFanOut(b *testing.B) {
	const many = 1000
	ctx := context.Background()
	s := open(b, b.TempDir(), nil)
	topic, err := s.CreateTopic(ctx, Topic{Scope: Scope{AppID: "app", Kind: ScopeApp}, Name: "news"})
	require.NoError(b, err)
	for n := range many {
		installFor(b, s, strconv.Itoa(n))
		require.NoError(b, s.SubscribeToTopic(ctx, topic.ID, owner(strconv.Itoa(n))))
	}
	payload := make([]byte, 100)
	find := func(b *testing.B) (ids []string) {
		to, err := s.TopicReceivers(ctx, topic.ID, "MQTT", Environments{Development: true, Production: true})
		require.NoError(b, err)
		for _, i := range to {
			ids = append(ids, i.ID)
		}
		require.Len(b, ids, many)
		return ids
	}
	ids := find(b)
	enqueue := func(b *testing.B) map[string][]int64 {
		done, err := s.EnqueueAll(ctx, Push{MessageID: "m", Payload: payload}, ids)
		require.NoError(b, err)
		places := make(map[string][]int64, many)
		for id, seq := range done.Places {
			places[id] = []int64{seq}
		}
		return places
	}
	b.Run("find", func(b *testing.B) {
		for b.Loop() {
			find(b)
		}
	})
	b.Run("enqueue", func(b *testing.B) {
		for b.Loop() {
			places := enqueue(b)
			b.StopTimer()
			require.NoError(b, s.Acknowledge(ctx, places))
			b.StartTimer()
		}
	})
	b.Run("acknowledge", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			places := enqueue(b)
			b.StartTimer()
			require.NoError(b, s.Acknowledge(ctx, places))
		}
	})
}
