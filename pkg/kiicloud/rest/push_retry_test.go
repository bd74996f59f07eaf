package rest

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
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

// deadlines notes the time limit of an answer.
type deadlines struct {
	*httptest.ResponseRecorder
	last time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.last = t
	return nil
}

// The server's own limit for an answer would end a push to many in the middle.
func TestAPushToManyHasMoreTime(t *testing.T) {
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	c := call{w: &recorder{ResponseWriter: d}}
	c.extend(1)
	assert.Zero(t, d.last)
	c.extend(100_000)
	assert.WithinDuration(t, time.Now().Add(time.Minute+100_000*perReceiver), d.last, time.Minute)
}
