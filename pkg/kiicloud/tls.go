package kiicloud

import (
	"crypto/tls"
	"fmt"
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
	r := &renewing{authority: a, hosts: certificateHosts(host)}
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

// renewing gives a certificate, and makes a new one before the old one ends.
type renewing struct {
	authority *authority
	hosts     []string

	mu   sync.Mutex
	cert *tls.Certificate
}

func (r *renewing) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cert != nil && r.authority.good(r.cert.Leaf) {
		return r.cert, nil
	}
	cert, err := r.authority.server(r.hosts)
	if err != nil {
		if r.cert != nil {
			return r.cert, nil // still better than none
		}
		return nil, err
	}
	r.cert = cert
	return cert, nil
}
