//go:build !windows

// Package pgtest runs a PostgreSQL server for tests: a private one, in a temporary folder, that
// listens on a Unix socket there and nowhere else.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
)

// patience is how long the server may take to start or to stop.
const patience = time.Minute

// Server is a running PostgreSQL server.
type Server struct {
	dir  string // the folder of data and socket
	port int    // names the socket
	ids  *syscall.Credential

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	log  syncbuf.Buffer
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared is the one server of this test process, started when it is first asked for. Stop it
// in TestMain with StopShared.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start() })
	require.NoError(t, shared.err)
	return shared.server
}

// StopShared ends the server that Shared has started, if it has.
func StopShared() {
	if shared.server != nil {
		shared.server.Remove()
	}
}

// Main runs a package's tests, ends the server that they have shared, and looks for goroutines
// that are left. It gives the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	StopShared()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

var schemas atomic.Int64

// Fresh is the address of an empty schema of the shared server.
func Fresh(t testing.TB) string {
	t.Helper()
	return Shared(t).Schema(t, "fresh"+strconv.FormatInt(schemas.Add(1), 10))
}

// Start makes a database cluster and starts a server on it. What it writes is not forced to
// the disk: a test may kill the server, but not the machine.
func Start() (*Server, error) {
	dir, err := os.MkdirTemp("", "kiiweb-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, port: 5432}
	if err := s.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Run(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// init makes the cluster. PostgreSQL does not run as root, so there it is somebody else's.
func (s *Server) init() error {
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			u, err = user.Lookup("nobody")
		}
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.ids = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.dir, uid, gid); err != nil {
			return err
		}
	}
	initdb, err := program("initdb")
	if err != nil {
		return err
	}
	cmd := exec.Command(initdb, "-D", s.data(), "-U", "kiicloud", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	s.prepare(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) prepare(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = procAttr(s.ids)
}

// program finds a program of PostgreSQL's, which Debian keeps out of PATH: the newest.
func program(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	best, newest := "", -1
	for _, path := range found {
		if v, err := strconv.Atoi(strings.Split(path, "/")[4]); err == nil && v > newest {
			best, newest = path, v
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is needed for this test; install it with: sh tests/deps.sh: %w", err)
	}
	return path, nil
}

// Run starts the server again after Kill.
func (s *Server) Run() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	cmd := exec.Command(postgres, "-D", s.data(), "-k", s.dir, "-h", "", "-p", strconv.Itoa(s.port),
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "jit=off")
	s.prepare(cmd)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Reset()
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	started := make(chan error, 1)
	done := make(chan struct{})
	go own(func() { // the thread that starts it must live as long: the server ends with it
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(done)
	})
	if err := <-started; err != nil {
		return err
	}
	s.cmd, s.done = cmd, done
	return s.await()
}

func (s *Server) await() error {
	db, err := sql.Open("pgx", s.URL("postgres", ""))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.done:
			return fmt.Errorf("the server ended: %s", s.log.String())
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// URL is the address of a database, with the tables in a schema where one is named.
func (s *Server) URL(database, schema string) string {
	q := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	if schema != "" {
		q.Set("search_path", schema)
	}
	u := url.URL{Scheme: "postgres", User: url.User("kiicloud"), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// Log is what the server has said since it was started last.
func (s *Server) Log() string { return s.log.String() }

// Schema makes a schema of this name, unless it is there, and gives its URL. The test's end
// leaves it.
func (s *Server) Schema(t testing.TB, name string) string {
	t.Helper()
	db, err := sql.Open("pgx", s.URL("postgres", ""))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(`CREATE SCHEMA IF NOT EXISTS "` + name + `"`)
	require.NoError(t, err)
	return s.URL("postgres", name)
}

// Kill ends the server at once, with all its connections.
func (s *Server) Kill() { s.end(syscall.SIGQUIT) }

func (s *Server) end(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	s.cmd = nil
}

// Remove ends the server and removes all that it has.
func (s *Server) Remove() {
	s.end(syscall.SIGQUIT) // nothing of it is needed any more
	_ = os.RemoveAll(s.dir)
}
