//go:build !js

package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/kiiweb/kiiweb/internal/fault"
)

const certificateRemedy = "Check the host's name and clock, or give the CA that signed the server's certificate as RootCAs."

// tlsConfig trusts the system's certificates and those in pem, if any.
func tlsConfig(pem []byte) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(pem) == 0 {
		return config, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without certificates of its own
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.InvalidArgument, "RootCAs holds no PEM certificate.")
	}
	config.RootCAs = pool
	return config, nil
}

func isCertificateError(err error) bool {
	var e *tls.CertificateVerificationError
	return errors.As(err, &e)
}
