package kiicloud

import (
	"net"
	"path/filepath"
	"strconv"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
)

// Ready says where a running cloud is and how to use it. Its JSON is the ready line of
// the demo. ClientSecret is a secret.
type Ready struct {
	HTTP         string `json:"http"`  // base URL; "" when not listened on
	HTTPS        string `json:"https"` // base URL; "" when not listened on
	API          string `json:"api"`   // base URL of the REST API
	PortTCP      int    `json:"portTCP"`
	PortSSL      int    `json:"portSSL"`
	PortWS       int    `json:"portWS"`
	PortWSS      int    `json:"portWSS"`
	AppID        string `json:"appID"`
	AppKey       string `json:"appKey"`
	ClientID     string `json:"clientID"`
	ClientSecret string `json:"clientSecret"`
	CA           string `json:"ca"` // file of the CA's certificate, PEM; "" when the certificate was brought
}

func (s *Server) ready(admin Admin, ca string) Ready {
	p := s.ports()
	r := Ready{
		HTTP: s.lns.http.url("http"), HTTPS: s.lns.https.url("https"),
		PortTCP: p.TCP, PortSSL: p.SSL, PortWS: p.WS, PortWSS: p.WSS,
		AppID: s.cfg.Apps[0].ID, AppKey: s.cfg.Apps[0].Key,
		ClientID: admin.ClientID, ClientSecret: admin.Secret,
	}
	r.API = r.HTTP + "/api"
	if r.HTTP == "" {
		r.API = r.HTTPS + "/api"
	}
	if ca != "" {
		r.CA = ca
		if abs, err := filepath.Abs(ca); err == nil {
			r.CA = abs
		}
	}
	return r
}

// ports are those that endpoints carry.
func (s *Server) ports() rabbitmq.Ports {
	if s.cfg.EnginePorts != (rabbitmq.Ports{}) {
		return s.cfg.EnginePorts
	}
	return rabbitmq.Ports{TCP: s.lns.mqtt.port(), SSL: s.lns.mqtts.port(), WS: s.lns.http.port(), WSS: s.lns.https.port()}
}

// Host is the host name that endpoints carry: what clients connect to.
func (s *Server) Host() string { return s.cfg.advertised() }

// listener is a bound address, or nothing.
type listener struct{ net.Listener }

func (l listener) port() int {
	if l.Listener == nil {
		return 0
	}
	return l.Addr().(*net.TCPAddr).Port
}

func (l listener) url(scheme string) string {
	if l.Listener == nil {
		return ""
	}
	host, _, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(l.port()))
}
