// Package rest is the HTTP side of the push cloud: login, users, things, installations,
// endpoints, topics, buckets, subscriptions and pushes, as Kii Cloud's REST API has them.
package rest

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
)

// MaxBody is the size in bytes above which a request body is refused.
const MaxBody = 64 << 10

// App is an application that may use the API.
type App struct{ ID, Key string }

// Admin is an administrator of all apps.
type Admin struct{ ClientID, Secret string }

// Store is what the API needs of the store.
type Store interface {
	UserStore
	ThingStore
	TokenStore
	InstallationStore
	TopicStore
	BucketStore
}

// Config is what an API is made of. Store, Engine, Apps, Admins, AllowOrigin and
// Logger are required.
type Config struct {
	Store  Store
	Engine engine.Engine
	Apps   []App
	Admins []Admin
	// EndpointDelay is how long after the install an endpoint stays "not ready".
	EndpointDelay time.Duration
	// TokenTTL is the longest life of an access token; 0 means no end. A client's
	// expiresAt can only shorten it.
	TokenTTL time.Duration
	// AllowOrigin says whether the page that a browser's request comes from may use
	// the API. It is asked when the request has an Origin.
	AllowOrigin func(*http.Request) bool
	// Limits bound what somebody without a token may try; the zero value sets none.
	Limits Limits
	// Proxies are the reverse proxies that tell the addresses of their clients.
	Proxies Proxies
	Logger  *slog.Logger
	// Observe hears of each answer: the route's method and pattern, "" for no route, the status, and how
	// long it took. nil: nobody does.
	Observe func(method, route string, status int, took time.Duration)
	Now     func() time.Time // nil means time.Now
}

// API answers the requests under /api.
type API struct {
	Config
	mux       *http.ServeMux
	passwords *passwords
	throttles throttles
}

// New makes an API.
func New(c Config) (*API, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	p, err := newPasswords()
	if err != nil {
		return nil, err
	}
	a := &API{Config: c, passwords: p, throttles: newThrottles(c.Limits)}
	a.mux = a.router(Routes())
	return a, nil
}

// app finds an app by its id.
func (a *API) app(id string) (App, bool) {
	for _, app := range a.Apps {
		if app.ID == id {
			return app, true
		}
	}
	return App{}, false
}
