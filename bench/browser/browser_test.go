package browser

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a browser that answers as the method says.
func fake(t *testing.T) *conn {
	upgrader := websocket.Upgrader{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		for {
			var command struct {
				ID        int
				SessionID string
				Method    string
			}
			if ws.ReadJSON(&command) != nil || command.Method == "leave" {
				return
			}
			answer := map[string]any{"id": command.ID, "result": map[string]any{"session": command.SessionID}}
			switch command.Method {
			case "fail":
				answer = map[string]any{"id": command.ID, "error": map[string]any{"message": "no such method"}}
			case "stall":
				continue
			}
			// An event comes first: those are passed over but by who watches.
			if ws.WriteJSON(map[string]any{"method": "Some.event"}) != nil || ws.WriteJSON(answer) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	c, err := dial("ws" + strings.TrimPrefix(server.URL, "http"))
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

func TestCalls(t *testing.T) {
	c, ctx := fake(t), context.Background()
	var got struct{ Session string }
	require.NoError(t, c.call(ctx, "s1", "ask", map[string]any{"a": 1}, &got))
	assert.Equal(t, "s1", got.Session)
	require.NoError(t, c.call(ctx, "", "ask", nil, nil))
	require.EqualError(t, c.call(ctx, "", "fail", nil, nil), "fail: no such method")

	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, c.call(ended, "", "stall", nil, nil), context.Canceled)
	require.NoError(t, c.call(ctx, "", "ask", nil, nil), "after one that got no answer")

	require.ErrorIs(t, c.call(ctx, "", "leave", nil, nil), errGone)
	require.ErrorIs(t, c.call(ctx, "", "ask", nil, nil), errGone)
}

func TestEventsAreSeen(t *testing.T) {
	c, ctx := fake(t), context.Background()
	var seen []string
	c.watch("", func(method string, _ json.RawMessage) { seen = append(seen, method) })
	require.NoError(t, c.call(ctx, "", "ask", nil, nil))
	c.watch("", nil)
	require.NoError(t, c.call(ctx, "", "ask", nil, nil))
	assert.Equal(t, []string{"Some.event"}, seen)
}

func TestUsageSeesWork(t *testing.T) {
	before, err := ReadUsage(os.Getpid())
	require.NoError(t, err)
	work := make(chan time.Duration)
	go func() {
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine, after it was read
		began, sum := time.Now(), 0
		for time.Since(began) < 50*time.Millisecond {
			sum++
		}
		after, err := ReadUsage(os.Getpid())
		assert.NoError(t, err)
		work <- after.Since(before).Total()
	}()
	assert.Positive(t, <-work)

	_, err = ReadUsage(-1)
	require.Error(t, err)
	private, err := PrivateMemory(os.Getpid())
	require.NoError(t, err)
	assert.Greater(t, private, 1<<20)
}

func TestSinceCountsThreadsThatAreNew(t *testing.T) {
	before := Usage{7, map[string]time.Duration{"7": 10, "8": 20, "9": 5}}
	after := Usage{7, map[string]time.Duration{"7": 15, "8": 21, "10": 3}} // 9 has ended
	assert.Equal(t, CPU{Main: 5, Others: 4}, after.Since(before))
	assert.Equal(t, time.Duration(9), after.Since(before).Total())
}
