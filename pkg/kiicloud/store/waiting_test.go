package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWaitingListsWhoHasOldPushes(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, clk := context.Background(), newClock()
		s := open(t, t.TempDir(), clk.Now)
		byID := map[string]string{}
		var ids []string
		for _, user := range []string{"a", "b", "c", "empty"} {
			byID[installFor(t, s, user).ID] = user
		}
		for id, user := range byID {
			if user == "empty" {
				continue
			}
			enqueue(t, s, id, "1")
			enqueue(t, s, id, "2")
		}
		began := clk.Now()
		clk.Advance(time.Minute)
		late := installFor(t, s, "late")
		enqueue(t, s, late.ID, "1")

		for after := ""; ; {
			page, err := s.Waiting(ctx, began, after, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			require.LessOrEqual(t, len(page), 2)
			for _, i := range page {
				require.Greater(t, i.ID, after)
				after = i.ID
				ids = append(ids, byID[i.ID])
				assert.Equal(t, byID[i.ID], i.Owner.ID, "the whole installation")
			}
		}
		assert.ElementsMatch(t, []string{"a", "b", "c"}, ids)
		all, err := s.Waiting(ctx, clk.Now(), "", 10)
		require.NoError(t, err)
		assert.Len(t, all, 4)
		clk.Advance(QueueTTL)
		none, err := s.Waiting(ctx, clk.Now(), "", 10)
		require.NoError(t, err)
		assert.Empty(t, none, "what has expired waits for nobody")
	})
}
