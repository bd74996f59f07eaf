package kiicloud

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// A backup that is made while pushes are accepted has all of them up to a moment, and a cloud
// goes on from it: users, tokens, installations, MQTT passwords, certificates and queues.
func TestABackupIsAWholeCloud(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	p := newcomer(t, s.Ready(), "alice")
	for n := range 3 {
		p.push(strconv.Itoa(n))
	}
	var pushing sync.WaitGroup
	quit := make(chan struct{})
	last := 3
	pushing.Go(func() {
		for ; ; last++ {
			select {
			case <-quit:
				return
			default:
				p.push(strconv.Itoa(last))
			}
		}
	})
	to := filepath.Join(t.TempDir(), "copy")
	files, err := Backup(context.Background(), dir, to)
	require.NoError(t, err)
	close(quit)
	pushing.Wait()
	assert.Equal(t, []string{"kiicloud.db", "mqtt-secret", "admin", "ca.pem", "ca-key.pem"}, files)
	for _, name := range files {
		info, err := os.Stat(filepath.Join(to, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	stop(t, s)

	r := start(t, to).Ready()
	assert.Equal(t, s.Ready().ClientSecret, r.ClientSecret)
	c := guardtest.DialTCP(t, mqtt.V5, "127.0.0.1:"+strconv.Itoa(r.PortTCP))
	p.greet(c, mqtt.V5) // with the endpoint of the original
	for n := range 3 {
		require.Equal(t, strconv.Itoa(n), received(t, c))
	}
	p.app = r.API + "/apps/demo"
	p.push("after the restore")
	n := 3
	text := received(t, c)
	for ; text != "after the restore"; n++ {
		require.Equal(t, strconv.Itoa(n), text)
		text = received(t, c)
	}
	assert.LessOrEqual(t, n, last)
}

func TestABackupNeedsSomethingAndSomewhere(t *testing.T) {
	ctx := context.Background()
	to := filepath.Join(t.TempDir(), "copy")
	_, err := Backup(ctx, t.TempDir(), to)
	require.ErrorContains(t, err, "not a cloud's data folder")
	require.NoDirExists(t, to)
	dir := t.TempDir()
	start(t, dir)
	_, err = Backup(ctx, dir, dir)
	require.ErrorContains(t, err, "must be a new one")
	require.FileExists(t, filepath.Join(dir, "kiicloud.db"))
	_, err = Backup(ctx, dir, to)
	require.NoError(t, err)
}
