package rabbitmq

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
)

// q is a question: path and form.
type q struct{ path, form string }

func (x q) ask(t testing.TB, a *Auth) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, x.path, strings.NewReader(x.form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestAuth(t *testing.T) {
	ann, bob := installation("ann"), installation("bob")
	st := newStore(ann, bob)
	credentials, err := engine.NewCredentials(secret)
	require.NoError(t, err)
	auth := &Auth{Installations: st, Endings: st, Credentials: credentials, VHost: "push", Logger: slog.New(slog.DiscardHandler)}
	clean := &Auth{Installations: st, Endings: st, Credentials: credentials, VHost: "push", CleanStart: true, Logger: auth.Logger}

	password := credentials.Issue("ann", ann.Topic, time.Hour)
	login := "username=ann&vhost=push&client_id=topic-of-ann&password=" + url.QueryEscape(password)
	resource := "username=ann&vhost=push&client_id=topic-of-ann&tags=&"
	topic := "username=ann&vhost=push&resource=topic&name=amq.topic&variable_map.client_id=topic-of-ann&variable_map.username=ann&tags=&"
	own := "resource=queue&name=mqtt-subscription-topic-of-annqos"
	for _, c := range []struct {
		name         string
		q            q
		allow, clean bool // clean: with clean starts allowed
	}{
		{"login", q{"/x/user", login}, true, true},
		{"login with another password", q{"/user", strings.Replace(login, "password=", "password=x", 1)}, false, false},
		{"login with a lapsed password", q{"/user", "username=ann&vhost=push&client_id=topic-of-ann&password=" + credentials.Issue("ann", ann.Topic, -time.Hour)}, false, false},
		{"login as another user", q{"/user", strings.Replace(login, "username=ann", "username=bob", 1)}, false, false},
		{"login with another client id", q{"/user", strings.Replace(login, "topic-of-ann", "topic-of-bob", 1)}, false, false},
		{"login without a client id, as over AMQP", q{"/user", strings.Replace(login, "client_id=", "no=", 1)}, false, false},
		{"login to another virtual host", q{"/user", strings.Replace(login, "vhost=push", "vhost=/", 1)}, false, false},
		{"login without a virtual host", q{"/user", strings.Replace(login, "vhost=", "no=", 1)}, false, false},
		{"login with two user names", q{"/user", "username=bob&" + login}, false, false},
		{"nothing at all", q{"/user", ""}, false, false},
		{"in the address", q{"/user?" + login, ""}, false, false},

		{"virtual host", q{"/vhost", "username=ann&vhost=push&client_id=topic-of-ann&ip=10.0.0.1&tags="}, true, true},
		{"another virtual host", q{"/vhost", "username=ann&vhost=other&client_id=topic-of-ann"}, false, false},
		{"virtual host of another's client id", q{"/vhost", "username=ann&vhost=push&client_id=topic-of-bob"}, false, false},
		{"virtual host without a client id", q{"/vhost", "username=ann&vhost=push"}, false, false},

		{"read the own queue", q{"/resource", resource + own + "1&permission=read"}, true, true},
		{"bind the own queue", q{"/resource", resource + own + "1&permission=write"}, true, true},
		{"make or remove the own queue", q{"/resource", resource + own + "1&permission=configure"}, false, true},
		{"the queue for QoS 0", q{"/resource", resource + own + "0&permission=configure"}, false, true},
		{"another's queue", q{"/resource", resource + "resource=queue&name=mqtt-subscription-topic-of-bobqos1&permission=read"}, false, false},
		{"any queue", q{"/resource", resource + "resource=queue&name=orders&permission=read"}, false, false},
		{"a queue for a will", q{"/resource", resource + "resource=queue&name=mqtt-will-topic-of-ann&permission=configure"}, false, false},
		{"bind to the exchange", q{"/resource", resource + "resource=exchange&name=amq.topic&permission=read"}, true, true},
		{"publish to the exchange", q{"/resource", resource + "resource=exchange&name=amq.topic&permission=write"}, true, true},
		{"remove the exchange", q{"/resource", resource + "resource=exchange&name=amq.topic&permission=configure"}, false, false},
		{"another exchange", q{"/resource", resource + "resource=exchange&name=amq.direct&permission=write"}, false, false},
		{"the own queue without a client id", q{"/resource", "username=ann&vhost=push&resource=queue&name=mqtt-subscription-qos1&permission=read"}, false, false},
		{"the own queue in another virtual host", q{"/resource", strings.Replace(resource, "push", "other", 1) + own + "1&permission=read"}, false, false},
		{"the own queue as somebody else", q{"/resource", strings.Replace(resource, "username=ann", "username=bob", 1) + own + "1&permission=read"}, false, false},

		{"subscribe to the own topic", q{"/topic", topic + "permission=read&routing_key=topic-of-ann"}, true, true},
		{"publish to the own topic", q{"/topic", topic + "permission=write&routing_key=topic-of-ann"}, true, true},
		{"subscribe to another's", q{"/topic", topic + "permission=read&routing_key=topic-of-bob"}, false, false},
		{"publish to another's", q{"/topic", topic + "permission=write&routing_key=topic-of-bob"}, false, false},
		{"subscribe to all", q{"/topic", topic + "permission=read&routing_key=%23"}, false, false},
		{"subscribe to each", q{"/topic", topic + "permission=read&routing_key=*"}, false, false},
		{"below the own topic", q{"/topic", topic + "permission=read&routing_key=topic-of-ann.%23"}, false, false},
		{"no topic", q{"/topic", topic + "permission=read&routing_key="}, false, false},
		{"the own topic on another exchange", q{"/topic", strings.Replace(topic, "amq.topic", "other", 1) + "permission=read&routing_key=topic-of-ann"}, false, false},
		{"the own topic, another permission", q{"/topic", topic + "permission=configure&routing_key=topic-of-ann"}, false, false},
	} {
		for a, want := range map[*Auth]bool{auth: c.allow, clean: c.clean} {
			status, answer := c.q.ask(t, a)
			assert.Equal(t, 200, status, c.name)
			assert.Equal(t, map[bool]string{true: "allow", false: "deny"}[want], answer, "%s, clean starts: %v", c.name, a == clean)
		}
	}

	st.uninstall("ann") // the password alone is not enough
	for _, x := range []q{{"/user", login}, {"/vhost", "username=ann&vhost=push&client_id=topic-of-ann"},
		{"/resource", resource + own + "1&permission=read"}, {"/topic", topic + "permission=read&routing_key=topic-of-ann"}} {
		_, answer := x.ask(t, auth)
		assert.Equal(t, "deny", answer, x.path)
	}
}

// A store that is away for a moment costs nobody a connection, and one that stays away no more than RabbitMQ's patience.
func TestAuthWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bob := installation("bob")
		st := newStore(bob)
		credentials, err := engine.NewCredentials(secret)
		require.NoError(t, err)
		auth := &Auth{Installations: st, Endings: st, Credentials: credentials, VHost: "push", Logger: slog.New(slog.DiscardHandler)}
		login := q{"/user", "username=bob&vhost=push&client_id=topic-of-bob&password=" + credentials.Issue("bob", bob.Topic, time.Hour)}
		st.set(errors.New("away"))
		time.AfterFunc(3*time.Second, func() { st.set(nil) })
		status, answer := login.ask(t, auth)
		assert.Equal(t, 200, status)
		assert.Equal(t, "allow", answer)
		st.set(errors.New("away"))
		begun := time.Now()
		status, _ = login.ask(t, auth)
		assert.Equal(t, 503, status)
		assert.Equal(t, authTimeout, time.Since(begun))
	})
}

func TestAuthRefusesOtherRequests(t *testing.T) {
	credentials, err := engine.NewCredentials(secret)
	require.NoError(t, err)
	auth := &Auth{Installations: newStore(), Credentials: credentials, VHost: "/", Logger: slog.New(slog.DiscardHandler)}
	status, _ := q{"/rabbitmq/other", ""}.ask(t, auth)
	assert.Equal(t, 404, status)
	status, _ = q{"/user", "a=" + strings.Repeat("x", authBody)}.ask(t, auth)
	assert.Equal(t, 400, status)
	w := httptest.NewRecorder()
	auth.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/user?username=ann&password=x", nil))
	assert.Equal(t, 405, w.Code)
	assert.Contains(t, w.Body.String(), "http_method")
}
