// Package kiicloud is a push cloud that is compatible with Kii Cloud: users log in over
// REST, register for push, and get their pushes over MQTT.
//
// Start runs all of it in this process: the REST API at /api and MQTT over WebSocket at
// /mqtt, both on the HTTP and the HTTPS port, and MQTT over TCP and TLS on ports of
// their own. The parts have packages of their own: store keeps what must not be lost,
// rest answers HTTP, engine delivers, guard stands in front of it. With Config.Engine set to an address
// of RabbitMQ clients connect to that, and any number of processes share a PostgreSQL.
package kiicloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/rest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// App is an application that may use the cloud.
type App = rest.App

// Admin is an administrator of all apps.
type Admin = rest.Admin

// Config says how the cloud runs. The zero value of a field means the default that
// RegisterFlags names, unless the field says otherwise. An empty address is not listened on.
type Config struct {
	HTTP, HTTPS, MQTT, MQTTS string // listen addresses, host:port; port 0 takes a free one

	DataDir         string // database, certificates, secrets
	Host            string // what endpoints advertise; "" means the listening host
	TLSCert, TLSKey string // PEM files; "" means a generated certificate

	Apps         []App
	Admins       []Admin
	AllowOrigins []string // of pages that may use the cloud; "*" allows all

	EndpointDelay time.Duration // how long after the install an endpoint stays "not ready"
	MQTTTTL       time.Duration // how long an MQTT password is good; 0 means DefaultMQTTTTL
	TokenTTL      time.Duration // how long an access token is good at most; 0 means for ever

	Limits *rest.Limits // of logins that fail and of registrations; nil means rest.DefaultLimits
	// How many connections there may be, to all ports, and from one address; 0 means any number.
	MaxConnections, MaxConnectionsByAddress int

	TrustProxies rest.Proxies // reverse proxies whose X-Forwarded-For is believed

	// Drain is how long Shutdown goes on serving before it ends anything, so that a balancer, which /readyz tells, can turn to
	// other processes meanwhile.
	Drain time.Duration

	MetricsToken string // lets who is elsewhere read /metrics; "" lets nobody

	SecretFile string // the key of the MQTT passwords; "" means a file in DataDir
	Store      string // "sqlite", or a postgres:// address; "" means the former
	Engine     string // "embedded", or a rabbitmq:// address (rabbitmq.ParseAddress); "" means the former

	// EnginePorts are those at which clients reach MQTT at Host: RabbitMQ's, or those of a proxy in front of this
	// process. None means DefaultEnginePorts with RabbitMQ, else those that are listened on.
	EnginePorts rabbitmq.Ports
	EngineToken string // lets RabbitMQ ask from other machines; "" lets it ask from this one

	Page   http.Handler // serves everything but the API and MQTT; nil means nothing
	Logger *slog.Logger // nil means slog.Default()
}

// The defaults.
const (
	DefaultDataDir  = ".kiicloud"
	DefaultMQTTTTL  = engine.DefaultTTL
	DefaultTokenTTL = 30 * 24 * time.Hour
)

// DefaultEnginePorts are those on which RabbitMQ's plugins listen unless told otherwise.
var DefaultEnginePorts = rabbitmq.Ports{TCP: 1883, WS: 15675}

// DefaultApp is the app of a cloud that is not told of any.
var DefaultApp = App{ID: "demo", Key: "demo-key"}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	if c.DataDir == "" {
		c.DataDir = DefaultDataDir
	}
	if c.MQTTTTL == 0 {
		c.MQTTTTL = DefaultMQTTTTL
	}
	if len(c.Apps) == 0 {
		c.Apps = []App{DefaultApp}
	}
	if c.Limits == nil {
		limits := rest.DefaultLimits
		c.Limits = &limits
	}
	if c.Store == "" {
		c.Store = "sqlite"
	}
	if c.Engine == "" {
		c.Engine = "embedded"
	}
	if c.onRabbitMQ() {
		c.MQTT, c.MQTTS = "", "" // RabbitMQ listens
		if c.EnginePorts == (rabbitmq.Ports{}) {
			c.EnginePorts = DefaultEnginePorts
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// check finds what cannot work, and says what can.
func (c Config) check() error {
	var errs []error
	if c.HTTP == "" && c.HTTPS == "" {
		errs = append(errs, errors.New("neither -http nor -https has an address: the API would be out of reach"))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("-tls-cert and -tls-key go together: give both, or neither for a generated certificate"))
	}
	if c.Store != "sqlite" && !c.onPostgres() {
		errs = append(errs, fmt.Errorf("-store %q is not known: there are sqlite and postgres://user:password@host/database", scheme(c.Store)))
	}
	errs = append(errs, c.checkEngine())
	for _, d := range []struct {
		flag  string
		value time.Duration
		max   time.Duration
	}{
		{"-endpoint-delay", c.EndpointDelay, 24 * time.Hour},
		{"-drain", c.Drain, time.Hour},
		{"-mqtt-ttl", c.MQTTTTL, DefaultMQTTTTL},
		{"-token-ttl", c.TokenTTL, DefaultMQTTTTL},
	} {
		if d.value < 0 || d.value > d.max {
			errs = append(errs, fmt.Errorf("%s %v is out of range: it goes from 0 to %v", d.flag, d.value, d.max))
		}
	}
	if c.MQTTTTL%time.Second != 0 {
		errs = append(errs, fmt.Errorf("-mqtt-ttl %v is not in whole seconds, which is all that endpoints can tell", c.MQTTTTL))
	}
	for _, n := range []struct {
		flag  string
		value int
	}{{"-limit-connections", c.MaxConnections}, {"-limit-connections-address", c.MaxConnectionsByAddress}} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("%s %d is below 0, which stands for any number", n.flag, n.value))
		}
	}
	errs = append(errs, c.checkNames())
	for _, o := range c.AllowOrigins {
		if o != "*" && !originLike(o) {
			errs = append(errs, fmt.Errorf("-allow-origin %q is not an origin: it looks like https://app.example.com", o))
		}
	}
	return errors.Join(errs...)
}

// onPostgres tells whether the store is in PostgreSQL.
func (c Config) onPostgres() bool {
	return strings.HasPrefix(c.Store, "postgres://") || strings.HasPrefix(c.Store, "postgresql://")
}

// openStore opens the store. The embedded engine delivers from it, so with that it is this process's alone.
func (c Config) openStore(ctx context.Context) (*store.SQL, error) {
	if !c.onPostgres() {
		return store.OpenSQLite(ctx, store.Options{Dir: c.DataDir, Endings: c.onRabbitMQ()})
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil { // for certificates and secrets
		return nil, fmt.Errorf("make the data folder (-data says which): %w", err)
	}
	return store.OpenPostgres(ctx, c.Store, store.Options{Shared: c.onRabbitMQ(), Endings: c.onRabbitMQ()})
}

// checkNames finds apps and administrators that clients could not name.
func (c Config) checkNames() error {
	var errs []error
	seen := map[string]bool{}
	for _, a := range c.Apps {
		if !nameLike(a.ID) || a.Key == "" {
			errs = append(errs, fmt.Errorf("-app %q: an id consists of letters, digits, '-' and '_', and needs a key", a.ID))
		}
		if seen[a.ID] {
			errs = append(errs, fmt.Errorf("-app %q is there twice", a.ID))
		}
		seen[a.ID] = true
	}
	for _, a := range c.Admins {
		if !nameLike(a.ClientID) || a.Secret == "" {
			errs = append(errs, fmt.Errorf("-admin %q: a client id consists of letters, digits, '-' and '_', and needs a secret", a.ClientID))
		}
	}
	return errors.Join(errs...)
}

// scheme hides what follows the scheme of a URL, since that may hold a password.
func scheme(s string) string {
	if before, _, ok := strings.Cut(s, "://"); ok {
		return before + "://…"
	}
	return s
}

// nameLike reports whether s is made of what may stand in ids and topics.
func nameLike(s string) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		default:
			return false
		}
	}
	return s != ""
}

// onLoopback reports whether all addresses that are listened on belong to this machine alone.
func (c Config) onLoopback() bool {
	for _, a := range []string{c.HTTP, c.HTTPS, c.MQTT, c.MQTTS} {
		if a == "" {
			continue
		}
		host, _, err := net.SplitHostPort(a)
		if err != nil || !loopbackHost(host) {
			return false
		}
	}
	return true
}

// loopbackHost reports whether host names this machine alone.
func loopbackHost(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
