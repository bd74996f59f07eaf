package kiicloud

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/rest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Server is a running cloud.
type Server struct {
	cfg    Config
	lns    listeners
	facts  Ready
	store  *store.SQL
	engine delivery
	count  *metrics
	gate   *guard.Gate

	lapse    *lapseWatch      // of the certificate; nil where no listener has TLS
	embedded *engine.Embedded // the engine, or nil
	rabbit   *rabbitmq.Engine // the engine, or nil
	web      []*http.Server

	stopTCP context.CancelFunc
	serving sync.WaitGroup

	stopped  atomic.Bool
	stopping sync.Once
	stopErr  error
}

// Start runs a cloud and returns when it can be used. ctx bounds the start alone. A data
// folder, or a database of PostgreSQL's, belongs to one cloud at a time: the error is
// store.ErrLocked when it is another's.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	st, err := c.openStore(ctx) // first: it locks the folder, or the database
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: c, store: st, count: newMetrics(), gate: guard.NewGate(c.connections(openFiles()), c.MaxConnectionsByAddress)}
	if err := s.open(); err != nil {
		if s.rabbit != nil {
			err = errors.Join(err, s.rabbit.Shutdown(ctx))
		}
		return nil, errors.Join(err, s.lns.close(), st.Close())
	}
	s.serve()
	return s, nil
}

// open binds the addresses and puts the parts together.
func (s *Server) open() (err error) {
	if s.lns, err = s.cfg.listen(); err != nil {
		return err
	}
	admins, err := s.cfg.admins()
	if err != nil {
		return err
	}
	if err := s.openEngine(); err != nil {
		return err
	}
	allow := s.cfg.originPolicy()
	api, err := rest.New(rest.Config{
		Store: s.store, Engine: s.engine, Apps: s.cfg.Apps, Admins: admins,
		EndpointDelay: s.cfg.EndpointDelay, TokenTTL: s.cfg.TokenTTL, AllowOrigin: allow, Limits: *s.cfg.Limits, Proxies: s.cfg.TrustProxies, Logger: s.cfg.Logger, Observe: s.count.observe,
	})
	if err != nil {
		return err
	}
	conf, ca, err := s.cfg.serverTLS(s.cfg.advertised())
	if err != nil {
		return err
	}
	s.listenTLS(conf)
	if s.lns.https.Listener != nil || s.lns.mqtts.Listener != nil {
		s.lapse = s.cfg.watchLapse(conf)
	}
	s.handle(s.route(api, s.mqtt(allow), s.ops()))
	s.facts = s.ready(admins[0], ca)
	s.warnOfPlainPorts()
	return nil
}

// warnOfPlainPorts says when nobody but this machine could use the endpoints: kiiweb's clients send no passwords to others without TLS.
func (s *Server) warnOfPlainPorts() {
	if p := s.ports(); p.SSL == 0 && p.WSS == 0 && !loopbackHost(s.cfg.advertised()) {
		s.cfg.Logger.Warn("endpoints name no port with TLS, and clients elsewhere send passwords over no other; where a proxy for TLS stands in front, say where by -engine-ports wss=443")
	}
}

// ops are the paths for who looks after the cloud.
func (s *Server) ops() *ops {
	s.count.engine, s.count.queued, s.count.refused = s.engine.Stats, s.store.QueueLength, s.gate.Refused
	if s.lapse != nil {
		s.count.lapses = s.lapse.lapses
	}
	return newOps(s.count.handler(), s.cfg.MetricsToken, s.check, s.stopped.Load,
		func(err error) { s.cfg.Logger.Error("not ready", "error", err) })
}

// listenTLS puts TLS on the listeners that are to have it.
func (s *Server) listenTLS(conf *tls.Config) {
	if s.lns.mqtts.Listener != nil {
		s.lns.mqtts.Listener = tls.NewListener(s.lns.mqtts.Listener, conf)
	}
	if s.lns.https.Listener != nil {
		web := conf.Clone()
		web.NextProtos = []string{"http/1.1"} // WebSockets need it, and nothing here gains by HTTP/2
		s.lns.https.Listener = tls.NewListener(s.lns.https.Listener, web)
	}
}

// route sends each request to the part that it is for. mqtt takes those that it serves. It is no http.ServeMux, which
// redirects the double slashes that Kii's clients send.
func (s *Server) route(api http.Handler, mqtt part, ops *ops) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stopped.Load() {
			w.Header().Set("Connection", "close") // a proxy that keeps connections is not to send over one that is about to end
		}
		switch path := r.URL.Path; {
		case ops.serves(path):
			ops.ServeHTTP(w, r)
		case path == "/api" || strings.HasPrefix(path, "/api/"):
			api.ServeHTTP(w, r)
		case path == mqtt.path || strings.HasPrefix(path, mqtt.path+"/"):
			mqtt.ServeHTTP(w, r)
		case s.cfg.Page != nil:
			s.cfg.Page.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r) // which answers 404 in JSON, as it does for its own paths
		}
	})
}

// patience is how long an HTTP client may take, for the header with the TLS handshake, for the
// whole request, until it has the answer, and until the next request.
var patience = struct{ header, request, answer, idle time.Duration }{10 * time.Second, 30 * time.Second, 60 * time.Second, 2 * time.Minute}

// handle makes the HTTP servers. A WebSocket leaves their time limits behind.
func (s *Server) handle(h http.Handler) {
	for _, l := range []listener{s.lns.http, s.lns.https} {
		if l.Listener == nil {
			continue
		}
		u := &unused{conns: map[net.Conn]struct{}{}}
		g := &webGate{gate: s.gate, proxies: s.cfg.TrustProxies, leave: map[net.Conn]func(){}}
		server := &http.Server{
			Handler:           h,
			ReadHeaderTimeout: patience.header,
			ReadTimeout:       patience.request,
			WriteTimeout:      patience.answer,
			IdleTimeout:       patience.idle,
			MaxHeaderBytes:    32 << 10,
			ErrorLog:          log.New(httpLog{s.cfg.Logger}, "", 0),
			ConnState: func(c net.Conn, state http.ConnState) {
				u.note(c, state)
				g.note(c, state)
			},
		}
		server.RegisterOnShutdown(u.close)
		s.web = append(s.web, server)
	}
}

// serve starts accepting connections.
func (s *Server) serve() {
	ctx, stop := context.WithCancel(context.Background())
	s.stopTCP = stop
	if s.lapse != nil {
		s.serving.Go(func() { s.lapse.run(ctx) })
	}
	web := s.web
	for _, l := range []listener{s.lns.http, s.lns.https} {
		if l.Listener != nil {
			server := web[0]
			web = web[1:]
			s.run("HTTP", func() error { return server.Serve(l) })
		}
	}
	for _, l := range []listener{s.lns.mqtt, s.lns.mqtts} {
		if l.Listener != nil {
			serve := func(c net.Conn) { s.gate.Serve(c, s.cfg.TrustProxies.PeerKey(c.RemoteAddr()), s.embedded.Serve) }
			s.run("MQTT", func() error { return guard.ServeTCP(ctx, s.cfg.Logger, l, serve) })
		}
	}
}

func (s *Server) run(what string, serve func() error) {
	s.serving.Add(1)
	go func() {
		defer s.serving.Done()
		if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Logger.Error("a listener ended", "listener", what, "error", err)
		}
	}()
}

// Ready tells where the cloud is.
func (s *Server) Ready() Ready { return s.facts }

// Shutdown stops the cloud: for Config.Drain it still serves, and is not ready any more; then no new connections, MQTT
// clients are told, requests under way are finished, the store is closed. When ctx ends before that, the rest is cut and
// its error returned; the store is closed properly all the same. It is idempotent.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping.Do(func() {
		s.stopped.Store(true)
		s.drain(ctx)
		s.stopTCP()
		var wg sync.WaitGroup
		errs := make([]error, len(s.web)+1)
		for i, server := range s.web {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if errs[i] = server.Shutdown(ctx); errs[i] != nil {
					_ = server.Close()
				}
			}()
		}
		if s.rabbit != nil {
			wg.Wait() // requests under way may publish
		}
		errs[len(s.web)] = s.engine.Shutdown(ctx)
		wg.Wait()
		s.serving.Wait()
		s.stopErr = errors.Join(append(errs, s.store.Close())...)
	})
	return s.stopErr
}

// drain waits until those who ask whether this process is ready have had the time to ask.
func (s *Server) drain(ctx context.Context) {
	if s.cfg.Drain <= 0 {
		return
	}
	s.cfg.Logger.Info("serving on until others have noticed", "drain", s.cfg.Drain)
	over := time.NewTimer(s.cfg.Drain)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}
