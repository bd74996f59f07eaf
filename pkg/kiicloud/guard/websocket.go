package guard

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// The WebSocket sub-protocols of MQTT: that of the standard [MQTT-6.0.0-3], and the one
// that clients of 3.1 ask for.
const (
	SubprotocolMQTT   = "mqtt"
	SubprotocolMQTT31 = "mqttv3.1"
)

// WebSocketConfig says how WebSocket connections are taken.
type WebSocketConfig struct {
	// Path is the one path that is served; "" means "/mqtt".
	Path string
	// AllowOrigin decides on a request that has an Origin header, as every browser's has.
	// nil allows the origin that the request itself was sent to.
	AllowOrigin func(r *http.Request) bool
	// ReadLimit is the largest message accepted, in bytes; 0 means 128 KiB. A message may
	// hold several packets, or a part of one: kiiweb's client sends up to 64 KiB of packets
	// in one, and one packet more.
	ReadLimit int64
	// HandshakeTimeout bounds the writing of the handshake's answer; 0 means 10 s.
	HandshakeTimeout time.Duration
	// Serve runs one connection and returns when it ended. Required.
	Serve func(net.Conn)
	// Gate bounds the connections, by the address that Address gives for a request. nil: any number.
	Gate    *Gate
	Address func(*http.Request) string
	// Logger hears of a panic in Serve; nil means slog.Default().
	Logger *slog.Logger
}

// WebSocket is the handler that upgrades requests and hands the connections to cfg.Serve.
// It answers what is no proper request with a status and a sentence: 404 another path,
// 426 no WebSocket handshake, 403 a foreign origin, 400 no sub-protocol of MQTT.
func WebSocket(cfg WebSocketConfig) http.Handler {
	if cfg.Path == "" {
		cfg.Path = "/mqtt"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.AllowOrigin == nil {
		cfg.AllowOrigin = sameOrigin
	}
	if cfg.ReadLimit <= 0 {
		cfg.ReadLimit = 128 << 10
	}
	if cfg.HandshakeTimeout <= 0 {
		cfg.HandshakeTimeout = 10 * time.Second
	}
	up := &websocket.Upgrader{
		HandshakeTimeout: cfg.HandshakeTimeout,
		ReadBufferSize:   2 * idleRead, // with the frames' headers
		WriteBufferSize:  2048,
		WriteBufferPool:  &sync.Pool{}, // an idle connection has none
		Subprotocols:     []string{SubprotocolMQTT, SubprotocolMQTT31},
		CheckOrigin:      func(*http.Request) bool { return true }, // decided by refuseUpgrade
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			http.Error(w, reason.Error(), status)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, reason := refuseUpgrade(cfg, r); status != 0 {
			if status == http.StatusUpgradeRequired {
				w.Header().Set("Upgrade", "websocket")
				w.Header().Set("Connection", "Upgrade")
			}
			http.Error(w, reason, status)
			return
		}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return // answered, or the client is gone
		}
		ws.SetReadLimit(cfg.ReadLimit)
		// Not in the server's goroutine, which keeps all that it had for HTTP.
		serve := cfg.Serve
		if cfg.Gate != nil {
			address := cfg.Address(r)
			serve = func(c net.Conn) { cfg.Gate.Serve(c, address, cfg.Serve) }
		}
		go safely(cfg.Logger, newWSConn(ws), serve)
	})
}

// refuseUpgrade gives the status and the sentence for a request that must not be upgraded,
// 0 for one that may.
func refuseUpgrade(cfg WebSocketConfig, r *http.Request) (status int, reason string) {
	switch {
	case r.URL.Path != cfg.Path:
		return http.StatusNotFound, "MQTT over WebSocket is at " + cfg.Path
	case !websocket.IsWebSocketUpgrade(r):
		return http.StatusUpgradeRequired, "this address speaks MQTT over WebSocket: connect with an MQTT client"
	case r.Header.Get("Origin") != "" && !cfg.AllowOrigin(r):
		return http.StatusForbidden, "the origin of this page may not connect: allow it with -allow-origin"
	case !offersMQTT(r):
		return http.StatusBadRequest, `the WebSocket sub-protocol must be "mqtt", or "mqttv3.1" for MQTT 3.1`
	default:
		return 0, ""
	}
}

func offersMQTT(r *http.Request) bool {
	for _, p := range websocket.Subprotocols(r) {
		if p == SubprotocolMQTT || p == SubprotocolMQTT31 {
			return true
		}
	}
	return false
}

// sameOrigin allows pages that came from the host that they connect to.
func sameOrigin(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
