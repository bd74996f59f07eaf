package rabbitmq

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	authTimeout = 8 * time.Second // of the store, for one question: RabbitMQ waits for 10 s (auth_http.request_timeout)
	authRetry   = 250 * time.Millisecond
	authBody    = 16 << 10 // bytes of a question

	// asGoodAsForEver is how far off the end of a password is that nobody waits for.
	asGoodAsForEver = 5 * 365 * 24 * time.Hour
	// connecting is what a client needs at the most from the question about its password until RabbitMQ knows its
	// connection.
	connecting = 10 * time.Second

	exchange = "amq.topic" // which the MQTT plugin publishes to and binds to
)

// Installations finds installations for Auth.
type Installations interface {
	// InstallationByTopic finds an installation by its mqttTopic, else store.ErrNotFound: there
	// is none, or its owner may not connect.
	InstallationByTopic(ctx context.Context, topic string) (store.Installation, error)
}

// Auth answers the questions of RabbitMQ's HTTP back end for authentication and authorisation
// (rabbitmq_auth_backend_http, http_method = post) about MQTT clients: /user, /vhost, /resource and
// /topic. It lets in who has the password of an installation, with that installation's id as the user
// name and its topic as the client identifier, and lets it use its own topic and nothing else, as
// long as the installation is there. Users of AMQP and of the management API are RabbitMQ's own
// affair (its internal back end): here they are unknown.
//
// Who may ask is for the caller to check.
type Auth struct {
	Installations Installations
	Endings       Endings // where it notes when passwords lapse that it lets in
	Credentials   *engine.Credentials
	VHost         string
	CleanStart    bool // as in Address
	Logger        *slog.Logger
}

// ServeHTTP answers allow or deny. What it cannot find out in authTimeout is a 503, which RabbitMQ takes for a
// refusal, and tells the client that its password is bad: so it tries until then.
func (a *Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	question := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	ask, known := map[string]func(form) bool{"user": a.user, "vhost": a.vhost, "resource": a.resource, "topic": a.topic}[question]
	if !known {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "set auth_http.http_method = post in rabbitmq.conf: passwords do not belong into an address", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, authBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the body is not a form", http.StatusBadRequest)
		return
	}
	f := form{r.PostForm}
	allow := ask(f)
	if allow {
		var err error
		if allow, err = a.find(r.Context(), f, question == "user"); err != nil {
			a.Logger.Error("RabbitMQ asks, but the store does not answer", "question", question, "error", err)
			http.Error(w, "the store is not available", http.StatusServiceUnavailable)
			return
		}
	}
	if !allow {
		a.Logger.Debug("RabbitMQ was told to refuse", "question", question, "user", f.get("username"), "name", f.get("name"), "permission", f.get("permission"))
		_, _ = io.WriteString(w, "deny")
		return
	}
	_, _ = io.WriteString(w, "allow")
}

// form is a question. A field that is there twice is not there: nobody is to guess which one counts.
type form struct{ values map[string][]string }

func (f form) get(name string) string {
	if v := f.values[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// client is the client identifier of whom the question is about. /topic has it among the variables
// that RabbitMQ's own permissions may name.
func (f form) client() string {
	if id := f.get("client_id"); id != "" {
		return id
	}
	return f.get("variable_map.client_id")
}

// user: may this client log in? A login over another protocol has no client identifier.
func (a *Auth) user(f form) bool {
	if f.client() == "" || f.get("vhost") != a.VHost {
		return false
	}
	_, err := a.Credentials.Verify(f.get("username"), f.client(), f.get("password"))
	return err == nil
}

// vhost: may it use the virtual host?
func (a *Auth) vhost(f form) bool { return f.get("vhost") == a.VHost }

// resource: may it use this queue or exchange? Its own queue, to read and to bind; the MQTT plugin's
// exchange, to bind to and to publish to. Making and removing queues is for the engine.
func (a *Auth) resource(f form) bool {
	if f.get("vhost") != a.VHost || f.client() == "" {
		return false
	}
	permission := f.get("permission")
	using := permission == "read" || permission == "write"
	switch name := f.get("name"); f.get("resource") {
	case "exchange":
		return name == exchange && using
	case "queue":
		if a.CleanStart && name == queueName(f.client(), 0) {
			return using || permission == "configure"
		}
		return name == queueName(f.client(), 1) && (using || permission == "configure" && a.CleanStart)
	}
	return false
}

// topic: may it subscribe to this topic, or publish to it? To its own. Topics have none of the
// characters that RabbitMQ writes differently as a routing key.
func (a *Auth) topic(f form) bool {
	permission := f.get("permission")
	return f.get("vhost") == a.VHost && f.get("resource") == "topic" && f.get("name") == exchange &&
		(permission == "read" || permission == "write") && f.client() != "" && f.get("routing_key") == f.client()
}

// find finds out whether the client's installation is there, and is the user's, and notes, when it logs in, that its
// connection is to end.
func (a *Auth) find(ctx context.Context, f form, login bool) (allow bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	for {
		if allow, err = a.installed(ctx, f); allow && login {
			allow, err = a.lapse(ctx, f)
		}
		if err == nil {
			return allow, nil
		}
		pause(ctx, authRetry)
		if ctx.Err() != nil {
			return false, err
		}
	}
}

func (a *Auth) installed(ctx context.Context, f form) (bool, error) {
	inst, err := a.Installations.InstallationByTopic(ctx, f.client())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && inst.ID == f.get("username"), err
}

// lapse notes when the password lapses with which the client is let in: RabbitMQ asks for it once, and the
// connection is to last no longer. A client that comes again with a newer one gets the time of that.
func (a *Auth) lapse(ctx context.Context, f form) (bool, error) {
	expires, err := a.Credentials.Verify(f.get("username"), f.client(), f.get("password"))
	if err != nil {
		return false, nil // by now
	}
	if time.Until(expires) > asGoodAsForEver {
		return true, nil
	}
	if soon := time.Now().Add(connecting); expires.Before(soon) {
		expires = soon
	}
	err = a.Endings.PutEnding(ctx, store.Ending{Kind: store.EndingLapsed, InstallationID: f.get("username"), Topic: f.client(), DueAt: expires})
	return err == nil, err
}
