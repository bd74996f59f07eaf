package kiicloud

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
)

// A CA's root that an older root has signed, too, stands behind the leaf for clients that know the older one only. When that signature
// lapses it is for those alone that anything changes.
func TestACrossSignedRootThatLapsesIsNoEnd(t *testing.T) {
	const day = 24 * time.Hour
	begun := time.Now()
	old, modern := open(t, t.TempDir(), begun), open(t, t.TempDir(), begun)
	leaf, _, err := modern.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "leaf.example"}, DNSNames: []string{"localhost"}}, modern, 90*day, serverFile, serverKeyFile)
	require.NoError(t, err)
	cross := crossSign(t, modern, old, begun.Add(10*day))
	watch := func(root *x509.Certificate) (*lapseWatch, *syncbuf.Buffer) {
		log, roots := new(syncbuf.Buffer), x509.NewCertPool()
		roots.AddCert(root)
		pair := &tls.Certificate{Certificate: [][]byte{leaf.Raw, cross.Raw}}
		return &lapseWatch{
			get: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair, nil },
			log: slog.New(slog.NewJSONHandler(log, nil)), remedy: "renew it", roots: roots,
		}, log
	}

	l, log := watch(modern.cert)
	l.look(begun.Add(9 * day))
	assert.Empty(t, logged(t, log))
	assert.Equal(t, leaf.NotAfter.Unix(), l.lapses().Unix(), "the leaf's end counts")
	for range 3 {
		l.look(begun.Add(11 * day))
	}
	lines := logged(t, log)
	require.Len(t, lines, 1, "once")
	assert.Equal(t, "WARN", lines[0]["level"])
	assert.Contains(t, lines[0]["msg"], "knows another way")
	assert.Equal(t, leaf.NotAfter.Unix(), l.lapses().Unix())
	l.look(leaf.NotAfter.Add(time.Minute))
	lines = logged(t, log)
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0]["msg"], "the certificate has lapsed: clients refuse it")

	l, log = watch(old.cert) // as a client that knows no other
	l.look(begun.Add(9 * day))
	lines = logged(t, log)
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0]["msg"], "behind the leaf lapses soon: clients that know no other way")
	assert.Equal(t, cross.NotAfter.Unix(), l.lapses().Unix())
	l.look(begun.Add(11 * day))
	lines = logged(t, log)
	require.Len(t, lines, 1)
	assert.Equal(t, "ERROR", lines[0]["level"])
	assert.Contains(t, lines[0]["msg"], "behind the leaf has lapsed: clients that know no other way")
}

// crossSign has another authority sign a's key.
func crossSign(t *testing.T, a, by *authority, until time.Time) *x509.Certificate {
	t.Helper()
	template := *a.cert
	template.NotAfter, template.AuthorityKeyId = until, nil
	raw, err := x509.CreateCertificate(rand.Reader, &template, by.cert, a.cert.PublicKey, by.key)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	return c
}
