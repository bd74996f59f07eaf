package rabbitmq

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func TestWhatBecomesOfAPush(t *testing.T) {
	a, b, c := installation("a"), installation("b"), installation("c")
	gone := installation("gone")
	cases := []struct {
		name  string
		to    []store.Installation
		next  []outcome
		fail  error
		want  error // nil: accepted
		got   []string
		calls []string
	}{
		{"stored", []store.Installation{a}, nil, nil, nil, []string{"topic-of-a m"}, nil},
		{"stored for many, each once", []store.Installation{a, b, a, c, b}, nil, nil, nil, []string{"topic-of-a m", "topic-of-b m", "topic-of-c m"}, nil},
		{"the queue is missing", []store.Installation{a, b}, []outcome{stored, unroutable}, nil, nil,
			[]string{"topic-of-a m", "topic-of-b m"}, []string{"ensure topic-of-b"}},
		{"the installation is gone", []store.Installation{gone}, []outcome{unroutable}, nil, nil, nil,
			[]string{"ensure topic-of-gone", "remove topic-of-gone"}},
		{"one of many is gone", []store.Installation{a, gone, c}, []outcome{stored, unroutable, stored}, nil, nil,
			[]string{"topic-of-a m", "topic-of-c m"}, []string{"ensure topic-of-gone", "remove topic-of-gone"}},
		{"unroutable twice", []store.Installation{a}, []outcome{unroutable, unroutable}, nil, engine.ErrUnavailable, nil, []string{"ensure topic-of-a"}},
		{"unroutable twice for one of two", []store.Installation{a, b}, []outcome{stored, unroutable, unroutable}, nil, engine.ErrUnconfirmed,
			[]string{"topic-of-a m"}, []string{"ensure topic-of-b"}},
		{"the queue cannot be made", []store.Installation{a}, []outcome{unroutable}, errFake, engine.ErrUnavailable, nil, []string{"ensure topic-of-a"}},
		{"not sent", []store.Installation{a, b}, []outcome{unsent, unsent}, nil, engine.ErrUnavailable, nil, nil},
		{"not sent to one", []store.Installation{a, b}, []outcome{stored, unsent}, nil, engine.ErrUnconfirmed, []string{"topic-of-a m"}, nil},
		{"not confirmed", []store.Installation{a}, []outcome{unknown}, nil, engine.ErrUnconfirmed, nil, nil},
		{"not confirmed by one", []store.Installation{a, b}, []outcome{unknown, stored}, nil, engine.ErrUnconfirmed, []string{"topic-of-b m"}, nil},
		{"not confirmed the second time", []store.Installation{a}, []outcome{unroutable, unknown}, nil, engine.ErrUnconfirmed, nil, []string{"ensure topic-of-a"}},
		{"to nobody", nil, nil, nil, nil, nil, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			e, broker := start(t, newStore(a, b, c))
			defer func() { require.NoError(t, e.Shutdown(context.Background())) }()
			broker.set(tc.fail, tc.next...)
			err := e.Publish(context.Background(), tc.to, store.Push{MessageID: "m", Payload: []byte("{}"), CreatedAt: time.Now()})
			if tc.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tc.want)
			}
			assert.Equal(t, tc.got, broker.stored())
			assert.Equal(t, tc.calls, broker.seen())
			s := e.Stats()
			assert.EqualValues(t, 1, s.Accepted+s.Refused+s.Unconfirmed+zeroFor(tc.to), "each push is counted once")
			if tc.want == nil {
				assert.EqualValues(t, len(tc.got), s.Queued)
			}
		})
	}
}

// zeroFor is what a push to nobody adds, which is not counted.
func zeroFor(to []store.Installation) int64 {
	if len(to) == 0 {
		return 1
	}
	return 0
}

// An installation may end while its queue is being made: then nobody else would remove that.
func TestAQueueThatIsMadeTooLateIsRemoved(t *testing.T) {
	a := installation("a")
	st := newStore(a)
	e, broker := start(t, st)
	defer func() { require.NoError(t, e.Shutdown(context.Background())) }()
	broker.onMake = func() { st.uninstall("a") }
	require.NoError(t, e.Prepare(context.Background(), a))
	assert.Equal(t, []string{"ensure topic-of-a", "remove topic-of-a"}, broker.seen())
}

func TestWithoutRabbitMQThereIsNoEndpoint(t *testing.T) {
	a := installation("a")
	e, broker := start(t, newStore(a))
	defer func() { require.NoError(t, e.Shutdown(context.Background())) }()
	broker.set(engine.ErrUnavailable)
	_, err := e.Endpoint(context.Background(), a)
	require.ErrorIs(t, err, engine.ErrUnavailable, "a client may not make the queue")
	require.ErrorIs(t, e.Check(context.Background()), engine.ErrUnavailable)
	broker.set(nil)
	ep, err := e.Endpoint(context.Background(), a)
	require.NoError(t, err)
	assert.Equal(t, "push.example", ep.Host)
	assert.Equal(t, engine.DefaultTTL, ep.TTL)
}

func TestMessage(t *testing.T) {
	m := message(store.Push{MessageID: "id", Payload: []byte(`{"a":1}`), ExpiresAt: time.Now().Add(time.Hour)})
	assert.EqualValues(t, 2, m.DeliveryMode, "QoS 1, and kept on disk")
	assert.Equal(t, "id", m.Headers["pushMessageID"])
	assert.Equal(t, `{"a":1}`, string(m.Body))
	assert.Regexp(t, `^3[56]\d{5}$`, m.Expiration, "milliseconds")
	assert.Equal(t, "1000", message(store.Push{ExpiresAt: time.Now().Add(-time.Hour)}).Expiration, "0 would be thrown away at once")
}
