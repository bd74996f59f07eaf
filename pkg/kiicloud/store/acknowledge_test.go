package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What thousands of clients acknowledge is removed in several transactions, between which others write. One that fails leaves the
// rest to the next attempt.
func TestManyAcknowledgementsAreNotOneTransaction(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir(), nil)
	places := map[string][]int64{}
	for i := range 2 * acknowledgeChunk {
		places[fmt.Sprintf("!%06d", i)] = []int64{1} // of which there is none, before all that there is
	}
	first, last := installFor(t, s, "first"), installFor(t, s, "last")
	if first.ID > last.ID {
		first, last = last, first
	}
	for _, inst := range []Installation{first, last} {
		seq, _, err := s.Enqueue(ctx, Push{InstallationID: inst.ID, MessageID: "m", Payload: []byte("{}")})
		require.NoError(t, err)
		places[inst.ID] = []int64{seq}
	}
	for i := range acknowledgeChunk - 1 {
		places[first.ID+fmt.Sprintf("!%06d", i)] = []int64{1} // fills the transaction of the first up
	}
	write := func(query string) {
		require.NoError(t, s.writer.do(ctx, func(t tx) error { return t.exec(query) }))
	}
	write(`CREATE TRIGGER no BEFORE DELETE ON queue WHEN OLD.installation_id = '` + last.ID + `' BEGIN SELECT RAISE(ABORT, 'no'); END`)
	require.ErrorContains(t, s.Acknowledge(ctx, places), "no")
	waits := func(inst Installation) int {
		found, err := s.Pending(ctx, inst.ID, 0, 10)
		require.NoError(t, err)
		return len(found)
	}
	require.Zero(t, waits(first))
	require.Equal(t, 1, waits(last))
	write(`DROP TRIGGER no`)
	require.NoError(t, s.Acknowledge(ctx, places))
	require.Zero(t, waits(last))
}

// brief is a context that ends when somebody looks at it too often.
type brief struct {
	context.Context
	end  func()
	left int
}

func (b *brief) Done() <-chan struct{} {
	if b.left--; b.left < 0 {
		b.end()
	}
	return b.Context.Done()
}

// More acknowledgements than can be removed in the time that there is are removed all the same.
func TestAcknowledgementsComeToAnEnd(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	inst := installFor(t, s, "u")
	seq, _, err := s.Enqueue(context.Background(), Push{InstallationID: inst.ID, MessageID: "m", Payload: []byte("{}")})
	require.NoError(t, err)
	places := map[string][]int64{inst.ID: {seq}}
	for i := range 8 * acknowledgeChunk {
		places[fmt.Sprintf("!%06d", i)] = []int64{1} // of which there is none, before what there is
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	require.NoError(t, s.Acknowledge(&brief{ctx, cancel, 2}, places)) // the writer looks twice for each transaction
	found, err := s.Pending(context.Background(), inst.ID, 0, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.ErrorIs(t, s.Acknowledge(&brief{ctx, cancel, 0}, places), context.Canceled)
}
