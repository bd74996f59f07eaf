package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// shelf is a Queue that installations can be added to.
type shelf interface {
	Queue
	install(t testing.TB, inst store.Installation) store.Installation
	uninstall(t testing.TB, inst store.Installation)
}

// memory is a Queue in memory. fail, when set, is what Enqueue, Pending and Acknowledge answer.
type memory struct {
	mu            sync.Mutex
	installations map[string]store.Installation // by topic
	queues        map[string][]store.Push       // by installation
	seq           map[string]int64
	fail          error
	acknowledged  int // calls of Acknowledge
}

func newMemory() *memory {
	return &memory{
		installations: map[string]store.Installation{},
		queues:        map[string][]store.Push{},
		seq:           map[string]int64{},
	}
}

func (q *memory) install(_ testing.TB, inst store.Installation) store.Installation {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.installations[inst.Topic] = inst
	return inst
}

func (q *memory) uninstall(_ testing.TB, inst store.Installation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.installations, inst.Topic)
}

func (q *memory) setFail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail = err
}

func (q *memory) acknowledgements() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.acknowledged
}

func (q *memory) InstallationByTopic(_ context.Context, topic string) (store.Installation, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	inst, ok := q.installations[topic]
	if !ok {
		return inst, store.ErrNotFound
	}
	inst.LastSeq = q.seq[inst.ID]
	return inst, nil
}

func (q *memory) Enqueue(_ context.Context, p store.Push) (seq int64, dropped []int64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fail != nil {
		return 0, nil, q.fail
	}
	return q.enqueue(p)
}

func (q *memory) EnqueueAll(_ context.Context, p store.Push, installationIDs []string) (store.Enqueued, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	done := store.Enqueued{Push: p, Places: map[string]int64{}, Dropped: map[string][]int64{}}
	for _, id := range installationIDs {
		p.InstallationID = id
		seq, gone, err := q.enqueue(p)
		if err == nil {
			done.Places[id] = seq
		}
		if len(gone) > 0 {
			done.Dropped[id] = gone
		}
	}
	return done, nil
}

func (q *memory) enqueue(p store.Push) (seq int64, dropped []int64, err error) {
	known := false
	for _, inst := range q.installations {
		known = known || inst.ID == p.InstallationID
	}
	if !known {
		return 0, nil, store.ErrNotFound
	}
	q.seq[p.InstallationID]++
	p.Seq = q.seq[p.InstallationID]
	if p.ExpiresAt.IsZero() {
		p.ExpiresAt = time.Now().Add(store.QueueTTL)
	}
	var list []store.Push
	for _, old := range append(q.queues[p.InstallationID], p) {
		if old.ExpiresAt.After(time.Now()) {
			list = append(list, old)
		}
	}
	if over := len(list) - store.QueueMax; over > 0 {
		dropped, list = seqsOf(list[:over]), list[over:]
	}
	q.queues[p.InstallationID] = list
	return p.Seq, dropped, nil
}

func (q *memory) Pending(ctx context.Context, installationID string, after int64, limit int) ([]store.Push, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := errors.Join(q.fail, ctx.Err()); err != nil {
		return nil, err
	}
	var found []store.Push
	for _, p := range q.queues[installationID] {
		if p.Seq > after && p.ExpiresAt.After(time.Now()) && len(found) < limit {
			found = append(found, p)
		}
	}
	return found, nil
}

func (q *memory) Acknowledge(ctx context.Context, delivered map[string][]int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := errors.Join(q.fail, ctx.Err()); err != nil {
		return err
	}
	q.acknowledged++
	for id, seqs := range delivered {
		q.queues[id] = slices.DeleteFunc(slices.Clone(q.queues[id]), func(p store.Push) bool { return slices.Contains(seqs, p.Seq) })
	}
	return nil
}

// real is the real store.
type real struct{ *store.SQL }

func openSQLite(t testing.TB, dir string) real {
	s, err := store.OpenSQLite(context.Background(), store.Options{Dir: dir})
	require.NoError(t, err)
	return real{s}
}

func openPostgres(t testing.TB) real {
	s, err := store.OpenPostgres(context.Background(), pgtest.Fresh(t), store.Options{})
	require.NoError(t, err)
	return real{s}
}

func (q real) install(t testing.TB, inst store.Installation) store.Installation {
	inst, _, err := q.Install(context.Background(), inst)
	require.NoError(t, err)
	return inst
}

func (q real) uninstall(t testing.TB, inst store.Installation) {
	_, err := q.DeleteInstallation(context.Background(), inst.Owner.AppID, inst.ID)
	require.NoError(t, err)
}

// onEachQueue runs a test on the queue in memory and on the real store, in both of its databases.
func onEachQueue(t *testing.T, test func(t *testing.T, q shelf)) {
	t.Run("memory", func(t *testing.T) { test(t, newMemory()) })
	onReal := func(t *testing.T, q real) {
		t.Cleanup(func() { require.NoError(t, q.Close()) })
		test(t, q)
	}
	t.Run("SQLite", func(t *testing.T) { onReal(t, openSQLite(t, t.TempDir())) })
	t.Run("PostgreSQL", func(t *testing.T) { onReal(t, openPostgres(t)) })
}

func installationFor(n int) store.Installation {
	return store.Installation{
		ID:             fmt.Sprintf("inst-%d", n),
		RegistrationID: fmt.Sprintf("reg-%d", n),
		Owner:          store.Owner{AppID: "app", Kind: store.OwnerUser, ID: fmt.Sprintf("user-%d", n)},
		DeviceType:     "MQTT",
		Topic:          fmt.Sprintf("topic-%d", n),
		CreatedAt:      time.Now(),
	}
}

func pushFor(inst store.Installation, n int) store.Push {
	return store.Push{
		InstallationID: inst.ID,
		MessageID:      fmt.Sprintf("id-%d", n),
		Payload:        []byte(fmt.Sprintf(`{"n":%d}`, n)),
		CreatedAt:      time.Now(),
		ExpiresAt:      time.Now().Add(time.Hour),
	}
}

func seqsOf(pushes []store.Push) (seqs []int64) {
	for _, p := range pushes {
		seqs = append(seqs, p.Seq)
	}
	return seqs
}

func TestQueueContract(t *testing.T) {
	ctx := context.Background()
	onEachQueue(t, func(t *testing.T, q shelf) {
		inst, other := q.install(t, installationFor(1)), q.install(t, installationFor(2))

		found, err := q.InstallationByTopic(ctx, inst.Topic)
		require.NoError(t, err)
		require.Equal(t, inst.ID, found.ID)
		_, err = q.InstallationByTopic(ctx, "no such topic")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, _, err = q.Enqueue(ctx, pushFor(store.Installation{ID: "gone"}, 1))
		require.ErrorIs(t, err, store.ErrNotFound)

		var last int64
		for n := range 5 {
			seq, dropped, err := q.Enqueue(ctx, pushFor(inst, n))
			require.NoError(t, err)
			require.Empty(t, dropped)
			require.Greater(t, seq, last)
			last = seq
		}
		expired := pushFor(inst, 5)
		expired.ExpiresAt = time.Now().Add(-time.Second)
		_, _, err = q.Enqueue(ctx, expired)
		require.NoError(t, err)
		_, _, err = q.Enqueue(ctx, pushFor(other, 6))
		require.NoError(t, err)

		all, err := q.Pending(ctx, inst.ID, 0, 100)
		require.NoError(t, err)
		require.Len(t, all, 5, "neither the expired push nor another installation's")
		require.Equal(t, "id-0", all[0].MessageID)
		require.Equal(t, `{"n":0}`, string(all[0].Payload))
		some, err := q.Pending(ctx, inst.ID, all[1].Seq, 2)
		require.NoError(t, err)
		require.Equal(t, seqsOf(all[2:4]), seqsOf(some))

		require.NoError(t, q.Acknowledge(ctx, map[string][]int64{inst.ID: {all[1].Seq, all[3].Seq, 1 << 40}}))
		left, err := q.Pending(ctx, inst.ID, 0, 100)
		require.NoError(t, err)
		require.Equal(t, []int64{all[0].Seq, all[2].Seq, all[4].Seq}, seqsOf(left))

		for n := range store.QueueMax - 3 {
			_, dropped, err := q.Enqueue(ctx, pushFor(inst, 100+n))
			require.NoError(t, err)
			require.Empty(t, dropped)
		}
		_, dropped, err := q.Enqueue(ctx, pushFor(inst, 9999))
		require.NoError(t, err)
		require.Equal(t, []int64{all[0].Seq}, dropped, "the oldest one")
		left, err = q.Pending(ctx, inst.ID, 0, 1)
		require.NoError(t, err)
		require.Equal(t, all[2].Seq, left[0].Seq)

		q.uninstall(t, inst)
		_, _, err = q.Enqueue(ctx, pushFor(inst, 1))
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

var errStore = errors.New("the store is out of order")
