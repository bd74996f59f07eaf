package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// relay stands before a server and can keep all back that is said, as a network does, or a machine that stands still: nothing ends.
type relay struct {
	ln      net.Listener
	to      string
	running sync.WaitGroup

	mu    sync.Mutex
	gate  chan struct{} // closed: bytes pass
	over  bool
	conns []net.Conn
}

// before makes a relay before the server of a URL, and the URL for going through it.
func before(t testing.TB, address string) (*relay, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	dir, socket := t.TempDir(), ".s.PGSQL."+q.Get("port")
	ln, err := net.Listen("unix", filepath.Join(dir, socket))
	require.NoError(t, err)
	r := &relay{ln: ln, to: filepath.Join(q.Get("host"), socket), gate: make(chan struct{})}
	close(r.gate)
	r.running.Go(r.accept)
	t.Cleanup(r.close)
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return r, u.String()
}

func (r *relay) accept() {
	for {
		c, err := r.ln.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", r.to)
		if err != nil {
			_ = c.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, c, to)
		over := r.over
		r.mu.Unlock()
		if over {
			_, _ = c.Close(), to.Close()
			return
		}
		r.running.Go(func() { r.carry(c, to) })
		r.running.Go(func() { r.carry(to, c) })
	}
}

func (r *relay) carry(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		gate := r.gate
		r.mu.Unlock()
		<-gate
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// stall keeps everything back until the function that it gives is called.
func (r *relay) stall() (goOn func()) {
	gate := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gate = gate
	return sync.OnceFunc(func() { close(gate) })
}

func (r *relay) close() {
	_ = r.ln.Close()
	r.mu.Lock()
	r.over = true
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

// A server that stops to answer, and whose connections stay, keeps nobody waiting for long, however many there are. When it answers again all
// goes on.
func TestAServerThatStopsToAnswerKeepsNobodyWaiting(t *testing.T) {
	const limit = time.Second
	ctx := context.Background()
	r, address := before(t, postgresURL(t, t.TempDir()))
	s, err := OpenPostgres(ctx, address, Options{timeout: limit})
	require.NoError(t, err)
	s.sweeper.stop()
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	var i Installation
	works := func() bool { // on a machine that is slow enough the limit is short for a server that answers, too
		var err error
		i, _, err = s.Install(ctx, Installation{Owner: owner("u"), DeviceType: "MQTT"})
		if err == nil {
			_, err = s.InstallationByID(ctx, "app", i.ID)
		}
		if err == nil {
			_, err = s.Pending(ctx, i.ID, 0, 10)
		}
		return err == nil
	}
	require.Eventually(t, works, time.Minute, 10*time.Millisecond)

	goOn := r.stall()
	defer goOn()
	begun := time.Now()
	var asking sync.WaitGroup
	for range 3 * DefaultConnections {
		for name, ask := range map[string]func() error{
			"a row": func() error { _, err := s.InstallationByID(ctx, "app", i.ID); return err },
			"rows":  func() error { _, err := s.Pending(ctx, i.ID, 0, 10); return err },
			"a write": func() error {
				_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: NewID(), Payload: []byte("x")})
				return err
			},
		} {
			asking.Go(func() {
				err := ask()
				assert.True(t, errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded), "%s: %v", name, err)
			})
		}
	}
	answered := make(chan struct{})
	go func() { asking.Wait(); close(answered) }()
	select {
	case <-answered:
		t.Logf("all have their answer after %v", time.Since(begun))
	case <-time.After(time.Minute):
		goOn()
		<-answered
		require.Fail(t, "some wait for as long as the server does not answer")
	}
	goOn()
	require.Eventually(t, works, time.Minute, 10*time.Millisecond)
	t.Logf("and all goes on after %v", time.Since(begun))
}

// A table that somebody else has locked for long, as who changes or repairs it by hand does, keeps nobody waiting for as long as it takes all to find that out one after
// the other.
func TestALockedTableKeepsNobodyWaitingForAllOthers(t *testing.T) {
	const limit, many = time.Second, 60
	ctx := context.Background()
	address := postgresURL(t, t.TempDir())
	s, err := OpenPostgres(ctx, address, Options{timeout: limit, Shared: true})
	require.NoError(t, err)
	s.sweeper.stop()
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	var i Installation
	push := func() error {
		_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: NewID(), Payload: []byte("x")})
		return err
	}
	works := func() bool {
		var err error
		i, _, err = s.Install(ctx, Installation{Owner: owner("u"), DeviceType: "MQTT"})
		return err == nil && push() == nil
	}
	require.Eventually(t, works, time.Minute, 10*time.Millisecond)
	by, err := sql.Open("pgx", address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, by.Close()) })
	lock, err := by.Begin()
	require.NoError(t, err)
	defer lock.Rollback()
	_, err = lock.Exec(`LOCK TABLE queue IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)

	begun := time.Now()
	var asking sync.WaitGroup
	for range many {
		asking.Go(func() {
			err := push()
			assert.True(t, errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded), "%v", err)
		})
	}
	asking.Wait()
	t.Logf("all have their answer after %v", time.Since(begun))
	assert.Less(t, time.Since(begun), many/2*limit)
	require.NoError(t, lock.Rollback())
	require.Eventually(t, works, time.Minute, 10*time.Millisecond)
}
