//go:build linux

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// figures are what a run has counted and measured.
type figures struct {
	rows         []row
	setUp, total time.Duration

	handOver, handOverInPage durations // from the kill of a node until its client is online again
	slowCall, slowDelivery   durations // the slowest after a kill
	nodeBack, cloudBack      durations
	unstuck                  durations // from a node's standing still until all processes of the cloud take pushes again
	moved                    durations // from a node's being cut off until its client is online elsewhere
	uninstalls, ends, known  durations // the answer to an uninstall, the end of the connection, and that the client knows why
	refusal                  durations
	installs, ended          int // raced
	refused, refusedDead     int
}

// row is what became of the pushes of one scenario.
type row struct {
	name                                   string
	runs                                   int
	sent, accepted, received, extra, again int
}

// add counts what became of a user's pushes; they were looked at before.
func (f *figures) add(name string, u *user, extra int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(f.rows, func(r row) bool { return r.name == name })
	if i < 0 {
		i = len(f.rows)
		f.rows = append(f.rows, row{name: name})
	}
	r := &f.rows[i]
	r.runs++
	r.sent += u.sent
	r.accepted += len(u.accepted)
	r.received += len(u.got) - extra
	r.extra += extra
	r.again += u.repeated
}

// durations are some of one kind.
type durations []time.Duration

func (d *durations) add(one time.Duration) { *d = append(*d, one) }

func (d durations) String() string {
	if len(d) == 0 {
		return "–"
	}
	sorted := slices.Sorted(slices.Values(d))
	middle, last := round(sorted[len(sorted)/2]), round(sorted[len(sorted)-1])
	if len(d) == 1 {
		return last.String()
	}
	return fmt.Sprintf("%v, at most %v (%d times)", middle, last, len(d))
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

// text is the tables of docs/cluster.md.
func (f *figures) text() string {
	var b strings.Builder
	b.WriteString("| pushes | runs | sent | accepted | received | in order | twice | sent again under their id | received without having been accepted |\n|---|---:|---:|---:|---:|---|---:|---:|---:|\n")
	for _, r := range f.rows {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | yes | 0 | %d | %d |\n", r.name, r.runs, r.sent, r.accepted, r.received, r.again, r.extra)
	}
	b.WriteString("\n| what | |\n|---|---|\n")
	for _, l := range []struct {
		what string
		is   any
	}{
		{"three nodes, PostgreSQL and three processes set up", round(f.setUp)},
		{"from the kill of its node until the native client is online on another", f.handOver},
		{"the same for the client in a browser", f.handOverInPage},
		{"from a node's being cut off until its client is online on another", f.moved},
		{"from a node's standing still until each process of the cloud has taken ten pushes for somebody", f.unstuck},
		{"slowest push call after the kill of a node", f.slowCall},
		{"slowest delivery after the kill of a node, from the start of the call", f.slowDelivery},
		{"a killed node is back in the cluster", f.nodeBack},
		{"a killed process of the cloud is back", f.cloudBack},
		{"an uninstall is answered", f.uninstalls},
		{"the connection on another node has ended, from the start of the uninstall", f.ends},
		{"the client knows that its installation is gone, after a login that RabbitMQ refuses with a delay", f.known},
		{"installs and uninstalls that raced", fmt.Sprint(f.installs, " and ", f.ended)},
		{"pushes that were refused while a node or a process was dying", f.refused},
		{"pushes sent while two nodes were dead, all refused", f.refusedDead},
		{"such a push is answered", f.refusal},
		{"the whole run", round(f.total)},
	} {
		fmt.Fprintf(&b, "| %s | %v |\n", l.what, l.is)
	}
	return b.String()
}

// write makes the document.
func (f *figures) write(t *testing.T, path string) {
	t.Helper()
	text := fmt.Sprintf(`# Three nodes, three processes, one database

What happened in one run of `+"`make test-cluster`"+`, which writes this page: three nodes of RabbitMQ 4 that are one
cluster, a PostgreSQL, three processes of the cloud, our native client and our client in Chromium, on one machine
with %d cores. Nodes and processes are ended with SIGKILL, and nodes are cut off from the others, while pushes flow. A push is *accepted* when its sender was
answered 201; *received* are those of them that the application was handed, each once and in the order in which they
were accepted, or the run fails. A push that was refused, or whose answer was lost, may have been stored all the
same: those stand in the last column.

%s`, runtime.NumCPU(), f.text())
	require.NoError(t, os.WriteFile(filepath.Join(cloud.Root(), path), []byte(text), 0o644))
}
