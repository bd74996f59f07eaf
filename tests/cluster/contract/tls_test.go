//go:build linux

package contract_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/tests/cluster/rabbitnode"
)

// nodeName is the one name in the node's certificate.
const nodeName = "rabbit.example"

// authority is a CA of a test.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := authority{t: t, key: key, cert: &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, key.Public(), key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

// write writes ca.pem, cert.pem and key.pem, a certificate for name that this CA has signed, into a folder.
func (a authority) write(dir, name string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, key.Public(), a.key)
	require.NoError(a.t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	for file, block := range map[string]*pem.Block{
		"ca.pem": {Type: "CERTIFICATE", Bytes: a.cert.Raw}, "cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		require.NoError(a.t, os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600))
	}
}

// secure gives the node listeners with TLS: for AMQP, where clients have to show a certificate, and for the management API.
func (b *broker) secure(t testing.TB) func(int, *rabbitnode.Node) string {
	return func(_ int, n *rabbitnode.Node) string {
		b.ca.write(n.Dir, nodeName)
		return fmt.Sprintf(`listeners.ssl.1 = 127.0.0.1:%d
ssl_options.cacertfile = /node/ca.pem
ssl_options.certfile = /node/cert.pem
ssl_options.keyfile = /node/key.pem
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
management.ssl.ip = 127.0.0.1
management.ssl.port = %d
management.ssl.cacertfile = /node/ca.pem
management.ssl.certfile = /node/cert.pem
management.ssl.keyfile = /node/key.pem`, n.Spare[0], n.Spare[1])
	}
}

func overTLS(l lab) {
	own, foreign := l.TempDir(), l.TempDir()
	l.b.ca.write(own, "kiicloud")
	newAuthority(l.T).write(foreign, "kiicloud")
	ca, cert, name := "&cacertfile="+own+"/ca.pem", "&certfile="+own+"/cert.pem&keyfile="+own+"/key.pem", "&server_name_indication="+nodeName
	amqps, https := fmt.Sprintf("rabbitmqs://%s:%s@127.0.0.1:%d/", l.b.User, l.b.Password, l.b.Spare[0]), fmt.Sprintf("https://127.0.0.1:%d", l.b.Spare[1])
	plain := fmt.Sprintf("http://127.0.0.1:%d", l.b.Management)
	for _, c := range []struct{ name, address, remedy string }{
		{"all is right", amqps + "?management=" + url.QueryEscape(https) + ca + cert + name, ""},
		{"the machine's CAs", amqps + "?management=" + plain + cert + name, "cacertfile="},
		{"another CA", amqps + "?management=" + plain + "&cacertfile=" + foreign + "/ca.pem" + cert + name, "cacertfile="},
		{"the host's own name", amqps + "?management=" + plain + ca + cert, "server_name_indication="},
		{"another name", amqps + "?management=" + plain + ca + cert + "&server_name_indication=example.com", "server_name_indication="},
		{"no certificate of the cloud's", amqps + "?management=" + plain + ca + name, "certfile="},
		{"a certificate of another CA", amqps + "?management=" + plain + ca + name + "&certfile=" + foreign + "/cert.pem&keyfile=" + foreign + "/key.pem", "certfile="},
		{"the management API has another CA", fmt.Sprintf("rabbitmq://%s:%s@127.0.0.1:%d/?management=%s&cacertfile=%s/ca.pem", l.b.User, l.b.Password, l.b.AMQP, https, foreign) + name, "cacertfile="},
	} {
		l.T.Run(c.name, func(t *testing.T) {
			a, err := rabbitmq.ParseAddress(c.address)
			require.NoError(t, err)
			e, err := rabbitmq.New(rabbitmq.Config{Address: a, Store: l.st, Secret: secret})
			require.NoError(t, err)
			defer func() { require.NoError(t, e.Shutdown(context.Background())) }()
			var why error
			if c.remedy != "" {
				require.Eventually(t, func() bool { why = e.Check(l.ctx()); return why != nil && errors.Is(why, rabbitmq.ErrCertificate) }, time.Minute, 10*time.Millisecond)
				require.ErrorContains(t, why, c.remedy)
				require.NotContains(t, why.Error(), l.b.Password)
				t.Log(why)
				return
			}
			require.Eventually(t, func() bool { why = e.Check(l.ctx()); return why == nil }, time.Minute, 10*time.Millisecond)
			secured := l
			secured.T, secured.e = t, e
			inst := secured.install()
			require.NoError(t, secured.publish(inst, "one"))
			client := l.online(inst)
			require.Equal(t, "one", received(client))
			require.NoError(t, e.Revoke(l.ctx(), inst), "over https")
			client.Rest()
		})
	}
}
