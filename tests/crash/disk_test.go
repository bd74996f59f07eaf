//go:build linux

package crash

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// inNamespace is set in the process that may mount.
const inNamespace = "KIIWEB_MOUNTS"

// smallDisk runs the rest of a test in a process that sees a mount of its own, of so many bytes,
// and gives its folder. done is true in the process that has run it so.
func smallDisk(t *testing.T, size int) (dir string, done bool) {
	t.Helper()
	if os.Getenv(inNamespace) == "" {
		args := []string{"--mount"}
		if os.Geteuid() != 0 {
			args = append(args, "--user", "--map-root-user")
		}
		cmd := exec.Command("unshare", append(args, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=15m")...)
		cmd.Env = append(os.Environ(), inNamespace+"=yes")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		require.NoError(t, err)
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return "", true
	}
	dir, err := os.MkdirTemp("", "kiiweb-disk-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)))
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir, false
}

// fill leaves no byte free on the disk. Removing the file it makes gives all back.
func fill(t *testing.T, dir string) (file string) {
	t.Helper()
	file = filepath.Join(dir, "fill")
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	for chunk := 64 << 10; chunk > 0; {
		if _, err := f.Write(make([]byte, chunk)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			chunk /= 2
		}
	}
	return file
}

// With the disk full, what needs room is refused with a sentence that says why, what needs none
// goes on, and nothing accepted is lost; with room again all goes on by itself.
func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	dir, done := smallDisk(t, 8<<20)
	if done {
		return
	}
	ctx := context.Background()
	data := filepath.Join(dir, "data")
	c := cloud.StartIn(t, data)
	user := c.NewUser()
	var count tally
	r := &receiver{rest: newRest(c), count: &count, numbers: map[string]int{}, seen: map[string]int{}, token: user.Token}
	status, body, err := r.call(ctx, "POST", "/installations", user.Token, map[string]any{"deviceType": "MQTT", "development": false})
	require.NoError(t, err)
	require.Equal(t, 201, status)
	r.installation, _ = body["installationID"].(string)

	pad := strings.Repeat("x", 3000)
	push := func() (int, map[string]any) {
		status, body, err := r.call(ctx, "POST", "/users/me/push/messages", user.Token,
			map[string]any{"data": map[string]any{"n": r.next, "pad": pad}, "mqtt": map[string]any{}})
		require.NoError(t, err)
		if status == 201 {
			id := body["pushMessageID"].(string)
			r.accepted = append(r.accepted, id)
			r.numbers[id] = r.next
		}
		r.next++
		return status, body
	}
	for range 5 {
		status, body := push()
		require.Equal(t, 201, status, "%v", body)
	}
	for round := range 3 {
		file := fill(t, dir)
		refused := 0
		for range 400 { // the database has some room of its own
			status, body := push()
			if status == 201 {
				continue
			}
			require.Equal(t, http.StatusServiceUnavailable, status, "%v", body)
			require.Equal(t, "SERVICE_UNAVAILABLE", body["errorCode"])
			require.NotEmpty(t, body["retryAfter"])
			if refused++; refused == 3 {
				break
			}
		}
		require.Equal(t, 3, refused, "the disk is not full")
		status, _, err = r.call(ctx, "GET", "/users/me", user.Token, nil)
		require.NoError(t, err)
		assert.Equal(t, 200, status, "reading needs no room")
		if round == 1 {
			c.Kill()
			require.NoError(t, os.Remove(file))
			c.Restart()
			continue
		}
		require.NoError(t, os.Remove(file))
		require.Eventually(t, func() bool { status, _ := push(); return status == 201 }, time.Minute, 10*time.Millisecond)
	}
	end, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	r.receive(end, true)
	verify(t, r)
	t.Logf("%d pushes accepted, %d refused, %d received", len(r.accepted), r.next-len(r.accepted), len(r.got))
	c.Stop()
	intact(t, data)
}

// A cloud that cannot write its folder does not start, and says so; what is there stays as it is.
func TestAFolderThatCannotBeWrittenIsExplained(t *testing.T) {
	dir, done := smallDisk(t, 16<<20)
	if done {
		return
	}
	data := filepath.Join(dir, "data")
	c := cloud.StartIn(t, data)
	user := c.NewUser()
	c.Stop()
	readOnly := func(flag uintptr) {
		require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flag, "size=16m"))
	}
	readOnly(syscall.MS_RDONLY)
	out := refusedStart(t, data)
	assert.Contains(t, out, "read-only file system")
	assert.Contains(t, out, data)

	readOnly(0)
	file := fill(t, dir)
	out = refusedStart(t, filepath.Join(dir, "another"))
	assert.Contains(t, strings.ReplaceAll(out, "database or disk is full", "no space left on device"), "no space left on device")
	require.NoError(t, os.Remove(file))
	c.Restart()
	status, _ := c.Call("GET", "/apps/"+c.Ready.AppID+"/users/me", user.Token, "", nil)
	assert.Equal(t, 200, status)
	c.Stop()
	intact(t, data)
}

// refusedStart starts a cloud that must not start, and gives what it says.
func refusedStart(t *testing.T, data string) string {
	t.Helper()
	const free = "127.0.0.1:0"
	cmd := exec.Command(cloud.Binary(t), "-http", free, "-https", free, "-mqtt", free, "-mqtts", free, "-data", data)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	require.Error(t, err, out.String())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.NotContains(t, out.String(), "goroutine")
	return out.String()
}
