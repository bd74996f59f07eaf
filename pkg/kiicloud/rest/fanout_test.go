package rest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	fans    = 1000
	hiToAll = `{"data":{"msg":"hi"},"mqtt":{"enabled":true}}`
	ofFans  = inDemo + "/topics/fans"
)

// stadium is an API with its real engine and a topic that many are subscribed to.
type stadium struct {
	*lab
	admin     string
	topic     store.Topic
	installed []store.Installation
}

// newLiveLab is a lab with the real engine and the real time.
func newLiveLab(t testing.TB) *lab {
	var broker *engine.Embedded
	l := newLab(t, func(c *Config) {
		var err error
		broker, err = engine.NewEmbedded(engine.EmbeddedConfig{
			Queue: c.Store.(*store.SQL), Secret: make([]byte, engine.MinSecret), Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		c.Engine, c.Now = broker, time.Now
	})
	t.Cleanup(func() { require.NoError(t, broker.Shutdown(context.Background())) })
	return l
}

func newStadium(t testing.TB) *stadium {
	l := newLiveLab(t)
	s := &stadium{lab: l, admin: l.admin(), installed: make([]store.Installation, fans)}
	require.Equal(t, 204, l.call("PUT", ofFans, s.admin, "").StatusCode)
	ctx := context.Background()
	var err error
	s.topic, err = l.store.TopicByName(ctx, store.Scope{AppID: "demo", Kind: store.ScopeApp}, "fans")
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range s.installed {
		wg.Go(func() { // together, since they share commits
			o := store.Owner{AppID: "demo", Kind: store.OwnerUser, ID: fmt.Sprintf("fan-%d", i)}
			assert.NoError(t, l.store.SubscribeToTopic(ctx, s.topic.ID, o))
			var err error
			s.installed[i], _, err = l.store.Install(ctx, store.Installation{Owner: o, DeviceType: deviceMQTT})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	return s
}

// send pushes to the topic and gives the message's id.
func (s *stadium) send() string {
	s.t.Helper()
	a := s.call("POST", ofFans+"/push/messages", s.admin, hiToAll)
	require.Equal(s.t, 201, a.StatusCode, a.text)
	return a.str("pushMessageID")
}

// waiting gives the ids of the messages in an installation's queue.
func (s *stadium) waiting(i store.Installation) (ids []string) {
	s.t.Helper()
	pushes, err := s.store.Pending(context.Background(), i.ID, 0, 2*store.QueueMax)
	require.NoError(s.t, err)
	for _, p := range pushes {
		ids = append(ids, p.MessageID)
	}
	return ids
}

func TestAMessageToAThousandSubscribers(t *testing.T) {
	s := newStadium(t)
	full, gone := s.installed[1], s.installed[2]
	var before []string
	for i := range store.QueueMax {
		before = append(before, fmt.Sprintf("before-%d", i))
	}
	for _, id := range before {
		_, _, err := s.store.Enqueue(context.Background(), store.Push{InstallationID: full.ID, MessageID: id})
		require.NoError(t, err)
	}
	_, err := s.store.DeleteInstallation(context.Background(), "demo", gone.ID)
	require.NoError(t, err)

	began := time.Now()
	first := s.send()
	t.Logf("a message to %d subscribers was accepted after %v", fans, time.Since(began).Round(time.Microsecond))
	second := s.send()

	require.Equal(t, append(before[2:], first, second), s.waiting(full), "only the oldest go")
	require.Empty(t, s.waiting(gone))
	for _, i := range s.installed {
		if i.ID != full.ID && i.ID != gone.ID {
			require.Equal(t, []string{first, second}, s.waiting(i), "each once, in order")
		}
	}
	assert.Equal(t, int64(2), s.api.Engine.(*engine.Embedded).Stats().Dropped)

	require.Equal(t, 204, s.call("DELETE", ofFans, s.admin, "").StatusCode)
	s.call("POST", ofFans+"/push/messages", s.admin, hiToAll).want(t, 404, "TOPIC_NOT_FOUND")
	require.Equal(t, 204, s.call("PUT", ofFans, s.admin, "").StatusCode)
	s.send()
	require.Equal(t, []string{first, second}, s.waiting(s.installed[0]), "what was accepted stays; the subscriptions went with the topic")
}

// BenchmarkFanOut1000 is one message to 1,000 subscribers, from the request to the answer.
func BenchmarkFanOut1000(b *testing.B) {
	s := newStadium(b)
	for b.Loop() {
		s.send()
	}
	b.ReportMetric(float64(fans*b.N)/b.Elapsed().Seconds(), "receivers/s")
}
