package kiicloud

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
)

// brief puts a certificate of this life for localhost into a folder, begun an hour ago, as the flags name it.
func brief(t *testing.T, dir string, life time.Duration) {
	t.Helper()
	a := open(t, t.TempDir(), time.Now())
	a.dir = dir
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "brief.example"}, DNSNames: []string{"localhost"}}
	_, _, err := a.issue(template, a, life, serverFile, serverKeyFile)
	require.NoError(t, err)
}

// logged are the lines that a buffer has got, and empties it.
func logged(t *testing.T, log *syncbuf.Buffer) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		var l map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		lines = append(lines, l)
	}
	log.Reset()
	return lines
}

func watched(c Config, log *syncbuf.Buffer) (*lapseWatch, error) {
	c.Logger = slog.New(slog.NewJSONHandler(log, nil))
	conf, _, err := c.serverTLS("localhost")
	if err != nil {
		return nil, err
	}
	return c.watchLapse(conf), nil
}

// A certificate that nobody renews is warned of two weeks before its end, each day, and when it has lapsed, although nobody connects; one that is
// renewed is not.
func TestACertificateThatIsAboutToLapseIsSaidInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		dir := t.TempDir()
		begun := time.Now()
		brief(t, dir, 90*day+time.Hour)
		var log syncbuf.Buffer
		l, err := watched(Config{TLSCert: filepath.Join(dir, serverFile), TLSKey: filepath.Join(dir, serverKeyFile)}, &log)
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		go l.run(ctx)
		to := func(at time.Duration) []map[string]any {
			time.Sleep(at - time.Since(begun))
			synctest.Wait()
			return logged(t, &log)
		}
		assert.Empty(t, to(76*day-time.Minute))
		assert.Equal(t, begun.Add(90*day), l.lapses())
		lines := to(76*day + time.Minute)
		require.Len(t, lines, 1)
		assert.Equal(t, "WARN", lines[0]["level"])
		assert.Contains(t, lines[0]["msg"], "lapses soon")
		assert.Equal(t, "CN=brief.example", lines[0]["certificate"])
		assert.Contains(t, lines[0]["remedy"], "-tls-cert")
		assert.EqualValues(t, 14*day, lines[0]["left"])
		assert.Len(t, to(89*day-time.Minute), 12, "once a day")
		assert.Len(t, to(89*day+time.Second), 1)
		assert.Empty(t, to(90*day-time.Second))
		lines = to(90*day + time.Second)
		require.Len(t, lines, 1)
		assert.Equal(t, "ERROR", lines[0]["level"])
		assert.Contains(t, lines[0]["msg"], "has lapsed")
		assert.Len(t, to(93*day+2*time.Second), 3, "and that each day, too")

		brief(t, dir, 90*day) // with the same names, at last
		at := time.Now()
		require.NoError(t, os.Chtimes(filepath.Join(dir, serverFile), at, at))
		lines = to(93*day + time.Hour)
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0]["msg"], "was renewed", "although nobody has connected")
		assert.Empty(t, to(160*day))
		stop()
	})
}

// One that lives for some days is worth a word later, and one that was replaced by an older one at once.
func TestShortCertificatesAreWarnedOfByTheirLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		dir := t.TempDir()
		brief(t, dir, 6*day)
		var log syncbuf.Buffer
		l, err := watched(Config{TLSCert: filepath.Join(dir, serverFile), TLSKey: filepath.Join(dir, serverKeyFile)}, &log)
		require.NoError(t, err)
		l.look(time.Now().Add(4 * day))
		assert.Empty(t, logged(t, &log))
		l.look(time.Now().Add(5 * day))
		assert.Len(t, logged(t, &log), 1)
		next := l.look(time.Now().Add(5 * day))
		assert.Empty(t, logged(t, &log))
		assert.Equal(t, lapseEvery, next)
		end := l.lapses()
		assert.Equal(t, time.Minute, l.look(end.Add(-time.Minute)), "it is said when it happens")
		assert.Len(t, logged(t, &log), 1)
	})
}

// The CA of a data folder ends before what it has signed last, and then clients refuse that, too.
func TestTheCAOfAFolderIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log syncbuf.Buffer
		l, err := watched(Config{DataDir: t.TempDir()}, &log)
		require.NoError(t, err)
		ca := time.Now().Add(caLife - time.Hour)
		time.Sleep(time.Until(ca) - 13*24*time.Hour)
		l.look(time.Now())
		lines := logged(t, &log)
		require.Len(t, lines, 2)
		assert.Contains(t, lines[0]["msg"], "was renewed")
		assert.Equal(t, "CN=kiicloud local CA", lines[1]["certificate"])
		assert.Contains(t, lines[1]["remedy"], "restart")
		assert.Equal(t, ca, l.lapses())
	})
}

// What cannot be renewed is said once a day, and tried again.
func TestACertificateThatCannotBeRenewedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log syncbuf.Buffer
		dir := t.TempDir()
		l, err := watched(Config{DataDir: dir}, &log)
		require.NoError(t, err)
		time.Sleep(serverLife - renewAt)
		away := dir + "-away"
		require.NoError(t, os.Rename(dir, away))
		for range 3 {
			l.look(time.Now())
			time.Sleep(lapseEvery)
		}
		lines := logged(t, &log)
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0]["msg"], "cannot be renewed")
		require.NoError(t, os.Rename(away, dir))
		l.look(time.Now())
		lines = logged(t, &log)
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0]["msg"], "was renewed")
	})
}

// The whole cloud says it at its start, and when it happens.
func TestACloudSaysThatItsCertificateLapses(t *testing.T) {
	cloud := func(life time.Duration) (*Server, *syncbuf.Buffer) {
		dir, log := t.TempDir(), new(syncbuf.Buffer)
		brief(t, dir, time.Hour+life)
		return start(t, t.TempDir(), func(c *Config) {
			c.TLSCert, c.TLSKey = filepath.Join(dir, serverFile), filepath.Join(dir, serverKeyFile)
			c.Logger = slog.New(slog.NewJSONHandler(log, nil))
		}), log
	}
	says := func(log *syncbuf.Buffer, what string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(log.String(), what) }, time.Minute, 5*time.Millisecond)
	}
	s, log := cloud(10 * time.Minute)
	says(log, "lapses soon")
	status, text := look(t, s.Ready().HTTP+"/metrics")
	assert.Equal(t, 200, status)
	assert.Contains(t, text, "kiicloud_certificate_lapse_timestamp_seconds ")
	_, log = cloud(3 * time.Second)
	says(log, "has lapsed")

	plain := start(t, t.TempDir(), func(c *Config) { c.HTTPS, c.MQTTS = "", "" })
	_, text = look(t, plain.Ready().HTTP+"/metrics")
	assert.NotContains(t, text, "kiicloud_certificate_lapse_timestamp_seconds ")
}
