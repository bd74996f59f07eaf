package rabbitmq

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// node is a management API that answers with status and notes what it was asked.
func node(t *testing.T, status int) (base string, asked *[]string) {
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, user+":"+password+" "+r.Method+" "+r.URL.EscapedPath()+" "+string(body))
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func manage(t *testing.T, bases ...string) *management {
	a, err := ParseAddress("rabbitmq://kii:hush@rabbit/push?management=" + strings.Join(bases, ","))
	require.NoError(t, err)
	m := newManagement(a)
	t.Cleanup(m.close)
	return m
}

func TestManagementAsksTheNextNode(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	ill, askedIll := node(t, 500)
	well, asked := node(t, 204)
	m := manage(t, dead.URL, ill, well, dead.URL)
	require.NoError(t, m.endConnections(context.Background(), "an/id"))
	assert.Len(t, *askedIll, 1)
	assert.Equal(t, []string{"kii:hush DELETE /api/connections/username/an%2Fid "}, *asked)
}

// A machine that is gone says nothing for managementTimeout. An uninstall asks twice within endTimeout: it would end
// neither in time nor ever, were that machine asked first each time.
func TestManagementGoesOnWithTheNodeThatHasAnswered(t *testing.T) {
	ill, askedIll := node(t, 500)
	well, asked := node(t, 204)
	m := manage(t, ill, well)
	for range 3 {
		require.NoError(t, m.endConnections(context.Background(), "x"))
	}
	assert.Len(t, *askedIll, 1)
	assert.Len(t, *asked, 3)
}

func TestManagementSaysWhatIsWrong(t *testing.T) {
	closed, _ := node(t, 401)
	away, _ := node(t, 302)
	err := manage(t, closed, away).endConnections(context.Background(), "x")
	require.ErrorContains(t, err, "administrator")
	require.ErrorContains(t, err, "302")
	require.NotContains(t, err.Error(), "hush")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, manage(t, closed).endConnections(ctx, "x"), context.Canceled)
}

func TestManagementTellsOfAlarms(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	ill, _ := node(t, 500)
	well, asked := node(t, 200)
	require.NoError(t, manage(t, dead.URL, ill, well).alarms(context.Background()))
	assert.Equal(t, []string{"kii:hush GET /api/health/checks/alarms "}, *asked)
	require.NoError(t, manage(t, dead.URL, ill).alarms(context.Background()), "nothing is known")
	short := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"status":"failed","reason":"…","alarms":[{"node":"rabbit@two","resource":"memory"}]}`)
	}))
	t.Cleanup(short.Close)
	err := manage(t, ill, short.URL).alarms(context.Background())
	require.ErrorIs(t, err, errAlarm)
	require.ErrorContains(t, err, "rabbit@two is short of memory")
}
