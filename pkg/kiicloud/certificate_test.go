package kiicloud

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dir string, at time.Time) *authority {
	t.Helper()
	a, err := openAuthority(dir, func() time.Time { return at })
	require.NoError(t, err)
	return a
}

func verify(t *testing.T, a *authority, c *tls.Certificate, host string, at time.Time) error {
	t.Helper()
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(a.path(caFile))
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(pem))
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	require.NoError(t, err)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: at})
	return err
}

func TestCertificateVerifiesWithTheCA(t *testing.T) {
	now := time.Now()
	a := open(t, t.TempDir(), now)
	c, err := a.server(certificateHosts("push.example"))
	require.NoError(t, err)
	for _, host := range []string{"push.example", "localhost", "127.0.0.1", "::1"} {
		assert.NoError(t, verify(t, a, c, host, now), host)
	}
	assert.Error(t, verify(t, a, c, "other.example", now))
	assert.Len(t, c.Certificate, 2, "the chain holds the CA")
	for name, mode := range map[string]os.FileMode{caKeyFile: 0o600, serverKeyFile: 0o600, caFile: 0o644} {
		info, err := os.Stat(a.path(name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), name)
	}
}

func TestCertificateIsKeptWhileItFits(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	first, err := open(t, dir, now).server([]string{"localhost"})
	require.NoError(t, err)

	for name, tc := range map[string]struct {
		at    time.Time
		hosts []string
		kept  bool
	}{
		"started again":      {now.Add(time.Hour), []string{"localhost"}, true},
		"another host":       {now.Add(time.Hour), []string{"push.example"}, false},
		"about to end":       {now.Add(serverLife - renewAt), []string{"localhost"}, false},
		"the CA is about to": {now.Add(caLife - renewAt), []string{"localhost"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			copied := t.TempDir()
			require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
			a := open(t, copied, tc.at)
			c, err := a.server(tc.hosts)
			require.NoError(t, err)
			assert.Equal(t, tc.kept, string(first.Certificate[0]) == string(c.Certificate[0]))
			assert.NoError(t, verify(t, a, c, tc.hosts[0], tc.at))
		})
	}
}

func TestRunningServerRenewsItsCertificate(t *testing.T) {
	now := time.Now()
	a := open(t, t.TempDir(), now)
	a.now = func() time.Time { return now }
	r := &renewing{authority: a, hosts: []string{"localhost"}, log: slog.New(slog.DiscardHandler)}
	first, err := r.get(nil)
	require.NoError(t, err)
	now = now.Add(serverLife)
	second, err := r.get(nil)
	require.NoError(t, err)
	assert.NotEqual(t, first.Certificate[0], second.Certificate[0])
	assert.NoError(t, verify(t, a, second, "localhost", now))
}

func TestBrokenFilesAreNamed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{caFile, caKeyFile, secretFile, adminFile} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("rubbish"), 0o600))
	}
	_, err := openAuthority(dir, time.Now)
	assert.ErrorContains(t, err, caFile)
	c := Config{DataDir: dir}
	_, err = c.mqttSecret()
	assert.ErrorContains(t, err, secretFile)
	_, err = c.admins()
	assert.ErrorContains(t, err, adminFile)
}

func TestSecretsAreMadeOnce(t *testing.T) {
	c := Config{DataDir: t.TempDir()}
	one, err := c.mqttSecret()
	require.NoError(t, err)
	two, err := c.mqttSecret()
	require.NoError(t, err)
	assert.Equal(t, one, two)
	assert.Len(t, one, 32)
	a1, err := c.admins()
	require.NoError(t, err)
	a2, err := c.admins()
	require.NoError(t, err)
	assert.Equal(t, a1, a2)
	info, err := os.Stat(filepath.Join(c.DataDir, secretFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
