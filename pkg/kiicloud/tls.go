package kiicloud

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ciphers are those of TLS 1.2 that keep past sessions secret and are authenticated; those of
// TLS 1.3 are all so.
var ciphers = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// serverTLS makes the TLS side of the listeners. ca is the file of the certificate to
// trust, "" where the operator brought a certificate.
func (c Config) serverTLS(host string) (conf *tls.Config, ca string, err error) {
	conf = &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: ciphers}
	if c.TLSCert != "" {
		b := &brought{certFile: c.TLSCert, keyFile: c.TLSKey, log: c.Logger, every: lookAgain}
		if err := b.read(); err != nil {
			return nil, "", fmt.Errorf("-tls-cert and -tls-key: %w", err)
		}
		conf.GetCertificate = b.get
		return conf, "", nil
	}
	a, err := openAuthority(c.DataDir, time.Now)
	if err != nil {
		return nil, "", err
	}
	r := &renewing{authority: a, hosts: certificateHosts(host), log: c.Logger}
	if _, err := r.get(nil); err != nil {
		return nil, "", fmt.Errorf("the server's certificate: %w", err)
	}
	conf.GetCertificate = r.get
	return conf, a.path(caFile), nil
}

// certificateHosts names this machine, and host first.
func certificateHosts(host string) []string {
	hosts := []string{host}
	for _, h := range []string{"localhost", "127.0.0.1", "::1"} {
		if h != host {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// watchLapse watches the certificate of conf.
func (c Config) watchLapse(conf *tls.Config) *lapseWatch {
	l := &lapseWatch{get: conf.GetCertificate, log: c.Logger, remedy: "put a renewed one in the place of the files of -tls-cert and -tls-key: they are read again without a restart"}
	if c.TLSCert == "" {
		l.remedy = "restart the cloud: it makes what is missing, and says why where it cannot; a new CA has to be trusted by clients like the old one"
	}
	return l
}

// renewing gives a certificate, and makes a new one before the old one ends. Where that fails it is tried again, now and then.
type renewing struct {
	authority *authority
	hosts     []string
	log       *slog.Logger

	mu    sync.Mutex
	cert  *tls.Certificate
	tried time.Time // when it failed last
	said  time.Time // when the log was told that it does
}

func (r *renewing) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cert != nil && (r.authority.good(r.cert.Leaf) || time.Since(r.tried) < lookAgain) {
		return r.cert, nil
	}
	cert, err := r.authority.server(r.hosts)
	if err == nil {
		if r.cert != nil {
			r.log.Info("the certificate was renewed", "until", cert.Leaf.NotAfter)
		}
		r.cert, r.said = cert, time.Time{}
		return cert, nil
	}
	if r.cert == nil {
		return nil, err
	}
	r.tried = time.Now()
	if r.tried.Sub(r.said) >= lapseAgain {
		r.said = r.tried
		r.log.Error("the certificate cannot be renewed, the old one goes on", "until", r.cert.Leaf.NotAfter, "error", err)
	}
	return r.cert, nil // still better than none
}
