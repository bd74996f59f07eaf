package rabbitmq

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

var errFake = errors.New("RabbitMQ is out of order")

// fakeBroker does what next says, call by call and topic by topic, and then stores. It notes all calls.
type fakeBroker struct {
	mu     sync.Mutex
	next   []outcome
	fail   error // of all but publish
	calls  []string
	got    []string // topic and message id of each push that was stored
	onMake func()
}

func (b *fakeBroker) note(call ...string) error {
	b.calls = append(b.calls, strings.Join(call, " "))
	return b.fail
}

func (b *fakeBroker) publish(_ context.Context, topics []string, p store.Push) ([]outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]outcome, len(topics))
	var err error
	for i, topic := range topics {
		if len(b.next) > 0 {
			out[i], b.next = b.next[0], b.next[1:]
		}
		switch out[i] {
		case stored:
			b.got = append(b.got, topic+" "+p.MessageID)
		case unsent, unknown:
			err = errFake
		}
	}
	return out, err
}

func (b *fakeBroker) ensure(_ context.Context, topic string, bind bool) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.onMake != nil {
		b.onMake()
	}
	return true, b.note("ensure", topic)
}

func (b *fakeBroker) remove(_ context.Context, topic string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.note("remove", topic)
}

func (b *fakeBroker) disconnect(_ context.Context, user string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.note("disconnect", user)
}

func (b *fakeBroker) check(context.Context) error { return b.fail }

func (b *fakeBroker) close() {}

func (b *fakeBroker) set(fail error, next ...outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail, b.next = fail, next
}

// seen gives the calls so far, and forgets them.
func (b *fakeBroker) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

func (b *fakeBroker) stored() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// fakeStore has the installations that it is given, and rows that wait.
type fakeStore struct {
	mu   sync.Mutex
	all  map[string]store.Installation // by id
	rows []store.Push
	ends []store.Ending
	fail error
}

func (s *fakeStore) PutEnding(_ context.Context, e store.Ending) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = slices.DeleteFunc(s.ends, func(o store.Ending) bool { return o.InstallationID == e.InstallationID && o.Kind == e.Kind })
	s.ends = append(s.ends, e)
	return s.fail
}

func (s *fakeStore) TakeEndings(_ context.Context, until time.Time, limit int) (taken []store.Ending, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.ends {
		if e := &s.ends[i]; len(taken) < limit && !e.DueAt.After(time.Now()) {
			e.DueAt = until
			taken = append(taken, *e)
		}
	}
	return taken, s.fail
}

func (s *fakeStore) DropEnding(_ context.Context, e store.Ending) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = slices.DeleteFunc(s.ends, func(o store.Ending) bool {
		return o.InstallationID == e.InstallationID && o.Kind == e.Kind && (e.Kind == store.EndingRemoved || o.DueAt.Equal(e.DueAt))
	})
	return s.fail
}

func (s *fakeStore) set(fail error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *fakeStore) endings() []store.Ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ends)
}

func newStore(installations ...store.Installation) *fakeStore {
	s := &fakeStore{all: map[string]store.Installation{}}
	for _, inst := range installations {
		s.all[inst.ID] = inst
	}
	return s
}

func (s *fakeStore) uninstall(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, id)
}

func (s *fakeStore) queue(id string, messageIDs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messageIDs {
		s.rows = append(s.rows, store.Push{Seq: int64(len(s.rows) + 1), InstallationID: id, MessageID: m, CreatedAt: time.Now()})
	}
}

func (s *fakeStore) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

func (s *fakeStore) InstallationByTopic(_ context.Context, topic string) (store.Installation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, inst := range s.all {
		if inst.Topic == topic {
			return inst, s.fail
		}
	}
	return store.Installation{}, errors.Join(s.fail, store.ErrNotFound)
}

func (s *fakeStore) InstallationByID(_ context.Context, _, id string) (store.Installation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inst, ok := s.all[id]
	if !ok {
		return inst, store.ErrNotFound
	}
	return inst, s.fail
}

func (s *fakeStore) Pending(_ context.Context, id string, after int64, limit int) (found []store.Push, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.rows {
		if p.InstallationID == id && p.Seq > after && len(found) < limit {
			found = append(found, p)
		}
	}
	return found, s.fail
}

func (s *fakeStore) Acknowledge(_ context.Context, seqs map[string][]int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = slices.DeleteFunc(s.rows, func(p store.Push) bool { return slices.Contains(seqs[p.InstallationID], p.Seq) })
	return s.fail
}

func (s *fakeStore) Waiting(_ context.Context, before time.Time, after string, limit int) (found []store.Installation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.rows {
		inst := s.all[p.InstallationID]
		if !p.CreatedAt.After(before) && inst.ID > after && !slices.Contains(found, inst) && len(found) < limit {
			found = append(found, inst)
		}
	}
	return found, s.fail
}

func installation(id string) store.Installation {
	return store.Installation{ID: id, Topic: "topic-of-" + id, Owner: store.Owner{AppID: "app", Kind: store.OwnerUser, ID: "user-" + id}, DeviceType: "MQTT"}
}

var secret = []byte(strings.Repeat("s", engine.MinSecret))

// start makes an engine whose broker is a fake. The caller shuts it down.
func start(t testing.TB, st Store) (*Engine, *fakeBroker) {
	b := &fakeBroker{}
	a, err := ParseAddress("rabbitmq://kii:pw@rabbit/push")
	require.NoError(t, err)
	e, err := newEngine(Config{Address: a, Store: st, Secret: secret, Host: "push.example", Logger: slog.New(slog.DiscardHandler)},
		func(Config) broker { return b })
	require.NoError(t, err)
	return e, b
}
