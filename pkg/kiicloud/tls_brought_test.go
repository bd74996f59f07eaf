package kiicloud

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A certificate that was renewed is used without a restart; files that do not go together, or are gone, leave the old one.
func TestABroughtCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	at := time.Now()
	bring := func(host string, files ...string) {
		from := t.TempDir()
		_, err := open(t, from, time.Now()).server([]string{host})
		require.NoError(t, err)
		for _, name := range files {
			source := map[string]string{cert: serverFile, key: serverKeyFile}[name]
			at = at.Add(time.Hour) // renewals are that far apart, and more
			require.NoError(t, os.Chtimes(filepath.Join(from, source), at, at))
			require.NoError(t, os.Rename(filepath.Join(from, source), name))
		}
	}
	bring("one.example", cert, key)
	var log bytes.Buffer
	c := Config{TLSCert: cert, TLSKey: key, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	_, ca, err := c.serverTLS("ignored")
	require.NoError(t, err)
	assert.Empty(t, ca)

	b := &brought{certFile: cert, keyFile: key, log: c.Logger}
	require.NoError(t, b.read())
	serves := func() string {
		pair, err := b.get(nil)
		require.NoError(t, err)
		return pair.Leaf.DNSNames[0]
	}
	assert.Equal(t, "one.example", serves())
	bring("two.example", cert)
	assert.Equal(t, "one.example", serves(), "the key is the old one's yet")
	assert.Contains(t, log.String(), "the old one goes on")
	require.NoError(t, os.Remove(key))
	assert.Equal(t, "one.example", serves())
	bring("three.example", cert, key)
	assert.Equal(t, "three.example", serves())
	assert.Contains(t, log.String(), "the certificate was renewed")

	log.Reset()
	assert.Equal(t, "three.example", serves())
	assert.Empty(t, log.String(), "what has not changed is not read again")

	b.every = time.Hour
	bring("four.example", cert, key)
	assert.Equal(t, "three.example", serves(), "nor is it looked for at each handshake")
}

// What could not be read for a while, as before its mode was set or when too many files were open, is used as soon as it can be, though the
// files look as they did. It is said once.
func TestABroughtCertificateThatCouldNotBeReadIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	c, err := open(t, dir, time.Now()).server([]string{"one.example"})
	require.NoError(t, err)
	cert, key := filepath.Join(dir, serverFile), filepath.Join(dir, serverKeyFile)
	var log bytes.Buffer
	b := &brought{certFile: cert, keyFile: key, log: slog.New(slog.NewTextHandler(&log, nil))}
	require.NoError(t, b.read())
	old := b.pair
	good, err := os.ReadFile(key)
	require.NoError(t, err)
	at := time.Now().Add(time.Hour)
	put := func(content []byte) {
		require.NoError(t, os.WriteFile(key, content, 0o600))
		require.NoError(t, os.Chtimes(key, at, at))
	}
	put(bytes.Repeat([]byte("x"), len(good)))
	for range 3 {
		pair, err := b.get(nil)
		require.NoError(t, err)
		require.Same(t, old, pair)
	}
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("the old one goes on")), log.String())
	put(good)
	pair, err := b.get(nil)
	require.NoError(t, err)
	assert.NotSame(t, old, pair)
	assert.Equal(t, c.Leaf.Raw, pair.Leaf.Raw)
	assert.Contains(t, log.String(), "the certificate was renewed")
}

func TestACertificateThatIsMissingIsSaid(t *testing.T) {
	dir := t.TempDir()
	_, err := open(t, dir, time.Now()).server([]string{"one.example"})
	require.NoError(t, err)
	c := Config{TLSCert: filepath.Join(dir, serverFile), TLSKey: filepath.Join(dir, "missing"), Logger: slog.New(slog.DiscardHandler)}
	_, _, err = c.serverTLS("ignored")
	assert.ErrorContains(t, err, "-tls-cert and -tls-key")
}
