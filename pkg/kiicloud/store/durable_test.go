package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// childEnqueues is the child process: it enqueues from several goroutines and prints
// each push when, and only when, Enqueue has returned.
func childEnqueues(dir string) error {
	s, err := OpenSQLite(context.Background(), Options{Dir: dir})
	if err != nil {
		return err
	}
	i, _, err := s.Install(context.Background(), Installation{Owner: owner("child"), DeviceType: "MQTT", Topic: "child-topic"})
	if err != nil {
		return err
	}
	errs := make(chan error, 1)
	var out sync.Mutex
	for worker := range 4 {
		go func() {
			for n := 0; ; n++ {
				payload := fmt.Sprintf("%d-%d", worker, n)
				_, _, err := s.Enqueue(context.Background(), Push{InstallationID: i.ID, MessageID: NewID(), Payload: []byte(payload)})
				if err != nil {
					errs <- err
					return
				}
				out.Lock()
				fmt.Println(payload)
				out.Unlock()
			}
		}()
	}
	return <-errs
}

func startChild(t *testing.T, dir, work string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childWork+"="+work)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func TestWhatEnqueueAcceptedSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	cmd, lines := startChild(t, dir, "enqueue")
	var accepted []string
	for len(accepted) < 200 && lines.Scan() {
		accepted = append(accepted, lines.Text())
	}
	_, err := OpenSQLite(context.Background(), Options{Dir: dir})
	require.ErrorIs(t, err, ErrLocked)
	assert.ErrorContains(t, err, fmt.Sprintf("process %d", cmd.Process.Pid))
	assert.ErrorContains(t, err, "-data")

	require.NoError(t, cmd.Process.Kill()) // SIGKILL: no clean-up of any kind runs
	for lines.Scan() {                     // what it had printed before it died counts, too
		accepted = append(accepted, lines.Text())
	}
	cmd.Wait()
	require.GreaterOrEqual(t, len(accepted), 200)

	s := open(t, dir, nil) // the lock went with the process
	i, err := s.InstallationByTopic(context.Background(), "child-topic")
	require.NoError(t, err)
	kept := payloads(t, s, i.ID, 0, 100000)
	if len(accepted) < QueueMax-4 {
		assert.Subset(t, kept, accepted)
	} else { // the child was fast: the oldest were pushed out
		require.Len(t, kept, QueueMax)
		assert.Subset(t, kept, accepted[len(accepted)-QueueMax+10:])
	}
	for worker := range 4 { // and in order
		last := -1
		for _, p := range kept {
			var w, n int
			_, err := fmt.Sscan(strings.ReplaceAll(p, "-", " "), &w, &n)
			require.NoError(t, err)
			if w == worker {
				assert.Greater(t, n, last)
				last = n
			}
		}
	}
}

func TestASecondOpenOfTheFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	_, err := OpenSQLite(context.Background(), Options{Dir: dir})
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, s.Close())
	open(t, dir, nil)
}
