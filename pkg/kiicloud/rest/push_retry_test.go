package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const pushPath = "/api/apps/demo/users/me/push/messages"

// What the broker has not confirmed is answered so that the sender can send the same message again.
func TestAPushThatIsNotConfirmedCanBeSentAgain(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	l.install(ann)
	l.engine.fail = fmt.Errorf("%w: no answer", engine.ErrUnconfirmed)
	a := l.call("POST", pushPath, ann, `{"data":{"n":1},"mqtt":{}}`)
	require.Equal(t, 503, a.StatusCode, a.text)
	assert.Equal(t, "PUSH_NOT_CONFIRMED", a.str("errorCode"))
	assert.NotEmpty(t, a.Header.Get("Retry-After"))
	id := a.str("pushMessageID")
	require.NotEmpty(t, id)

	l.engine.fail = nil
	a = l.call("POST", pushPath, ann, `{"data":{"n":1},"mqtt":{},"pushMessageID":"`+id+`"}`)
	require.Equal(t, 201, a.StatusCode, a.text)
	assert.Equal(t, id, a.str("pushMessageID"))
	assert.Equal(t, id, l.engine.pushes[0].MessageID)
	assert.NotContains(t, string(l.engine.pushes[0].Payload), id)

	for _, bad := range []string{"x", "0123456789012345678901234", "01234567890123456789-_", "%20%20%20%20%20%20%20a"} {
		a = l.call("POST", pushPath, ann, `{"data":{"n":1},"mqtt":{},"pushMessageID":"`+bad+`"}`)
		assert.Equal(t, 400, a.StatusCode, bad)
		assert.Equal(t, "INVALID_INPUT_DATA", a.str("errorCode"))
	}
}

func TestWithoutABrokerNothingIsAccepted(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	installed, _ := l.install(ann)
	_, bob := l.user("bob")
	l.engine.fail = fmt.Errorf("%w: nobody there", engine.ErrUnavailable)
	for name, a := range map[string]answer{
		"push":     l.call("POST", pushPath, ann, `{"data":{"n":1},"mqtt":{}}`),
		"install":  l.call("POST", "/api/apps/demo/installations", bob, `{"deviceType":"MQTT","development":false}`),
		"endpoint": l.call("GET", "/api/apps/demo/installations/"+installed+"/mqtt-endpoint", ann, ""),
	} {
		assert.Equal(t, 503, a.StatusCode, name)
		assert.Equal(t, "SERVICE_UNAVAILABLE", a.str("errorCode"), name)
		assert.NotEmpty(t, a.Header.Get("Retry-After"), name)
	}
	l.engine.fail = nil // the install that failed can be made again, and gets as far as it should have
	a := l.call("POST", "/api/apps/demo/installations", bob, `{"deviceType":"MQTT","development":false}`)
	require.Equal(t, 201, a.StatusCode, a.text)
	last := l.engine.prepared[len(l.engine.prepared)-1]
	assert.Equal(t, a.str("installationID"), last.ID)
}

// The limit that the server has for an answer is over when what is for many is done. It is answered all the same.
func TestWhatIsForManyIsAnsweredHoweverLongItTook(t *testing.T) {
	l := newLab(t)
	id, ann := l.user("ann")
	l.install(ann)
	me := store.Owner{AppID: "demo", Kind: store.OwnerUser, ID: id}
	others := store.Bucket{Scope: store.Scope{AppID: "demo", Kind: store.ScopeUser, ID: id}, Name: "others"}
	require.NoError(t, l.store.SubscribeToBucket(t.Context(), others, me))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(-time.Second)))
		l.api.ServeHTTP(w, r)
	}))
	defer server.Close()
	for method, call := range map[string]struct{ path, body string }{
		"POST":   {pushPath, `{"data":{"n":1},"mqtt":{}}`},
		"PUT":    {"/api/apps/demo/users/me/buckets/notes/objects/long", `{}`},
		"DELETE": {"/api/apps/demo/users/me/buckets/others", ""},
	} {
		t.Run(method, func(t *testing.T) {
			r, err := http.NewRequest(method, server.URL+call.path, strings.NewReader(call.body))
			require.NoError(t, err)
			r.Header.Set("X-Kii-AppID", "demo")
			r.Header.Set("X-Kii-AppKey", "demo-key")
			r.Header.Set("Authorization", "Bearer "+ann)
			res, err := server.Client().Do(r)
			require.NoError(t, err)
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Less(t, res.StatusCode, 300, "%s", text)
		})
	}
}
