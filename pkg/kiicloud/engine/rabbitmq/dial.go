package rabbitmq

import (
	"context"
	"crypto/tls"
	"net"
)

// dialer opens TCP connections, or TLS ones where the address is for those. Whom to trust is what the
// machine says (and SSL_CERT_FILE).
func dialer(a Address) func(ctx context.Context, network, addr string) (net.Conn, error) {
	plain := &net.Dialer{}
	if !a.TLS {
		return plain.DialContext
	}
	return (&tls.Dialer{NetDialer: plain, Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext
}
