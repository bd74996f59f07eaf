//go:build linux

package cluster

import (
	"database/sql"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// weight is memory and disk in bytes.
type weight struct{ nodes, clouds, disk, database int64 }

func (w weight) minus(v weight) weight {
	return weight{w.nodes - v.nodes, w.clouds - v.clouds, w.disk - v.disk, w.database - v.database}
}

// weigh waits until memory has come to rest, and gives what the nodes and the clouds occupy, each kind
// together.
func (s *stage) weigh() weight {
	s.Helper()
	var last int64
	var w weight
	rest := 0
	require.Eventually(s, func() bool {
		w = weight{}
		for _, n := range s.nodes {
			w.nodes += resident(n.Pid())
		}
		for _, c := range s.clouds {
			w.clouds += resident(c.Pid())
		}
		d := w.nodes + w.clouds - last
		last += d
		if rest++; d > last/200 || -d > last/200 {
			rest = 0
		}
		return rest >= 4
	}, patience, *costTime/2)
	for _, n := range s.nodes {
		require.NoError(s, filepath.WalkDir(n.Dir, func(_ string, e fs.DirEntry, err error) error {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				w.disk += info.Sys().(*syscall.Stat_t).Blocks * 512
			}
			return nil // files come and go
		}))
	}
	s.database(func(db *sql.DB) {
		require.NoError(s, db.QueryRow("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "+
			"WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')", s.schema).Scan(&w.database))
	})
	return w
}

// statements is what a call asks the database.
type statements struct {
	call                     string
	all, reads, transactions int
}

// database lends a connection to the database.
func (s *stage) database(use func(db *sql.DB)) {
	s.Helper()
	db, err := sql.Open("pgx", pgtest.Shared(s).URL("postgres", ""))
	require.NoError(s, err)
	defer db.Close()
	use(db)
}

// resident is how much memory a process occupies, in bytes.
func resident(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// statements counts what one call of each kind asks the database.
func (s *stage) statements() (found []statements) {
	s.Helper()
	server := pgtest.Shared(s)
	set := func(value string) {
		s.database(func(db *sql.DB) {
			_, err := db.Exec("ALTER SYSTEM SET log_statement = '" + value + "'")
			require.NoError(s, err)
			_, err = db.Exec("SELECT pg_reload_conf()")
			require.NoError(s, err)
			require.Eventually(s, func() bool {
				var is string
				return db.QueryRow("SHOW log_statement").Scan(&is) == nil && is == value
			}, patience, 20*time.Millisecond)
		})
	}
	set("all")
	defer set("none")
	c := s.clouds[0]
	o := &owner{cloud: c}
	for _, call := range []struct {
		name string
		do   func() error
	}{
		{"registration", func() (err error) { o.id, o.token, err = c.PseudoUser(); return err }},
		{"install", o.install},
		{"endpoint, first connection and subscription", func() error { return o.connect(s, 0) }},
		{"connection and subscription again", func() error { o.close(); return o.dial(s, 1) }},
		{"push", func() error { return o.push(c) }},
		{"uninstall", func() error {
			_, err := o.call(c, http.MethodDelete, "/installations/"+o.installation, nil)
			return err
		}},
	} {
		before := len(server.Log())
		require.NoError(s, call.do())
		// What the server has logged until it has logged this.
		var last, logged string
		mark := "that was " + random()
		s.database(func(db *sql.DB) { require.NoError(s, db.QueryRow("SELECT '"+mark+"'").Scan(&last)) })
		require.Eventually(s, func() bool {
			text, _, there := strings.Cut(server.Log()[before:], mark)
			logged = text[:strings.LastIndexByte(text, '\n')+1]
			return there
		}, patience, 20*time.Millisecond)
		n := statements{call: call.name}
		for line := range strings.Lines(logged) {
			// A transaction begins by two statements in one, which are logged as they came.
			if _, begin, ok := strings.Cut(line, "LOG:  statement: BEGIN "); ok {
				n.transactions++
				n.all += 1 + strings.Count(begin, ";")
				continue
			}
			_, statement, ok := strings.Cut(line, "LOG:  execute ")
			_, text, named := strings.Cut(statement, ": ")
			if !ok || !named {
				continue
			}
			n.all++
			if strings.HasPrefix(text, "SELECT") {
				n.reads++
			}
		}
		require.Positive(s, n.all)
		found = append(found, n)
	}
	o.close()
	return found
}
