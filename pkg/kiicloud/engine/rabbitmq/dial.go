package rabbitmq

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// ErrCertificate means that a node does not show a certificate that can be trusted, or does not trust the cloud's. The
// error says what to do.
var ErrCertificate = errors.New("TLS with RabbitMQ fails")

// connectTCP opens a TCP connection, or, with secure, one with TLS below a protocol.
func (a Address) connectTCP(ctx context.Context, addr string, secure bool) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil || !secure {
		return c, err
	}
	conf, err := a.tlsConfig(addr)
	if err == nil {
		t := tls.Client(c, conf)
		if err = t.HandshakeContext(ctx); err == nil {
			return t, nil
		}
	}
	_ = c.Close()
	return nil, explainTLS(err, addr)
}

// tlsConfig says whom to trust: the CAs of CAFile, else the machine's (and SSL_CERT_FILE's), for the name of the host or
// ServerName. Files are read each time, so that renewed ones are used at the next connection.
func (a Address) tlsConfig(addr string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.ServerName}
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		conf.ServerName = host
	}
	if a.CAFile != "" {
		text, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cacertfile: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("cacertfile: %s holds no certificate in PEM", a.CAFile)
		}
	}
	if a.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("certfile and keyfile: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

// explainTLS makes errors of TLS say what to do. Others it leaves alone.
func explainTLS(err error, addr string) error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		header    tls.RecordHeaderError
		alert     *net.OpError
		remedy    string
	)
	switch {
	case errors.Is(err, ErrCertificate): // it does already
		return err
	case errors.As(err, &authority):
		remedy = "name the file with the certificate of its CA as cacertfile="
	case errors.As(err, &name):
		remedy = "name the host in -engine as its certificate does, or give the certificate's name as server_name_indication="
	case errors.As(err, &invalid):
		remedy = "give the node a certificate that is good, and the machine the right time"
	case errors.As(err, &header):
		remedy = "rabbitmqs:// and https:// are for ports of RabbitMQ that speak TLS: listeners.ssl and management.ssl"
	case errors.As(err, &alert) && alert.Op == "remote error": // as crypto/tls calls what the other side says
		remedy = "the node refuses the cloud: where it wants a certificate, name one that its cacertfile has signed as certfile= and keyfile="
	default:
		return err
	}
	return fmt.Errorf("%w at %s: %w: %s", ErrCertificate, addr, err, remedy)
}
