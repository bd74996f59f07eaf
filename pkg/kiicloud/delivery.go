package kiicloud

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
)

// delivery is the engine of a cloud.
type delivery interface {
	engine.Engine
	Stats() engine.Stats
}

// onRabbitMQ tells whether pushes are delivered through RabbitMQ.
func (c Config) onRabbitMQ() bool { return rabbitmq.IsAddress(c.Engine) }

// checkEngine finds what cannot work. No error repeats the address, which holds a password.
func (c Config) checkEngine() error {
	if c.Engine == "embedded" {
		return nil
	}
	if !c.onRabbitMQ() {
		return fmt.Errorf("-engine %q is not known: there are embedded and rabbitmq://user:password@host/vhost", scheme(c.Engine))
	}
	if _, err := rabbitmq.ParseAddress(c.Engine); err != nil {
		return fmt.Errorf("-engine %s: %w", scheme(c.Engine), err)
	}
	if c.onPostgres() && c.SecretFile == "" {
		return errors.New("-engine rabbitmq:// with -store postgres:// needs -secret-file: any process may be asked about a password that another one has made, so all need the same key")
	}
	return nil
}

// rabbitHosts are RabbitMQ's hosts, for the name that endpoints carry.
func (c Config) rabbitHosts() []string {
	if !c.onRabbitMQ() {
		return nil
	}
	a, err := rabbitmq.ParseAddress(c.Engine)
	if err != nil {
		return nil
	}
	return a.Hosts[:1:1]
}

func (s *Server) openEngine() error {
	secret, err := s.cfg.mqttSecret()
	if err != nil {
		return err
	}
	if s.cfg.onRabbitMQ() {
		a, err := rabbitmq.ParseAddress(s.cfg.Engine)
		if err != nil {
			return err
		}
		s.rabbit, err = rabbitmq.New(rabbitmq.Config{
			Address: a, Store: s.store, Secret: secret, Host: s.cfg.advertised(), Ports: s.cfg.EnginePorts, TTL: s.cfg.MQTTTTL, Logger: s.cfg.Logger,
		})
		if err != nil {
			return fmt.Errorf("-engine: %w", err)
		}
		s.engine = s.rabbit
		return s.greet()
	}
	s.embedded, err = engine.NewEmbedded(engine.EmbeddedConfig{
		Queue: s.store, Secret: secret, Host: s.cfg.advertised(), TTL: s.cfg.MQTTTTL, Logger: s.cfg.Logger, Took: s.count.took,
		Ports: func() (tcp, ssl, ws, wss int) {
			p := s.ports()
			return p.TCP, p.SSL, p.WS, p.WSS
		},
	})
	s.engine = s.embedded
	return err
}

// greet waits a moment for RabbitMQ. That it is not there yet is no error: /readyz tells. That it does
// not let this cloud in, or cannot be trusted, is one, which somebody has to do something about.
func (s *Server) greet() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	err := s.rabbit.Check(ctx)
	if errors.Is(err, rabbitmq.ErrAccess) || errors.Is(err, rabbitmq.ErrCertificate) {
		return fmt.Errorf("-engine: %w", err)
	}
	if err != nil {
		s.cfg.Logger.Error("RabbitMQ cannot be used yet", "error", err)
	}
	return nil
}

// check tells whether the cloud can serve.
func (s *Server) check(ctx context.Context) error {
	if err := s.store.Check(ctx); err != nil || s.rabbit == nil {
		return err
	}
	return s.rabbit.Check(ctx)
}

// part serves a path and what is below it.
type part struct {
	path string
	http.Handler
}

// mqtt is the engine's part: MQTT over WebSocket, or the answers to RabbitMQ's questions.
func (s *Server) mqtt(allow func(*http.Request) bool) part {
	if s.rabbit == nil {
		return part{"/mqtt", guard.WebSocket(guard.WebSocketConfig{
			AllowOrigin: allow, Gate: s.gate, Address: s.cfg.TrustProxies.ClientKey, Serve: s.embedded.Serve, Logger: s.cfg.Logger,
		})}
	}
	auth, want := s.rabbit.Auth(), sha256.Sum256([]byte(s.cfg.EngineToken))
	return part{"/rabbitmq", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.URL.Query().Get("token")))
		if !fromThisMachine(r) && (s.cfg.EngineToken == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1) {
			http.Error(w, "RabbitMQ asks from this machine, or with ?token= and the value of -engine-token in the paths of auth_http.", http.StatusForbidden)
			return
		}
		auth.ServeHTTP(w, r)
	})}
}
