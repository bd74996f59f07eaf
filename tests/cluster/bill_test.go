//go:build linux

package cluster

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// bill is what users cost.
type bill struct {
	users                      int
	idle, installed, connected weight // of all of it: before the users, with their installations, with their connections
	registrations, installs    rate
	connects, reconnects       rate
	logins                     rate
	pushes                     [len(manySenders)][2]rate // through one process, through all
	statements                 []statements
}

// rate is how many a second.
type rate float64

func (*bill) rate(n int, took time.Duration) rate { return rate(float64(n) / took.Seconds()) }

func (r rate) String() string {
	if r < 10 {
		return fmt.Sprintf("%.1f", float64(r))
	}
	return fmt.Sprintf("%.0f", float64(r))
}

// lasts is how long n take, as people say it.
func (r rate) lasts(n float64) string {
	switch s := n / float64(r); {
	case s < 90:
		return fmt.Sprintf("%.0f s", math.Ceil(s))
	case s < 90*60:
		return fmt.Sprintf("%.0f min", s/60)
	default:
		return fmt.Sprintf("%.1f h", s/3600)
	}
}

// size says a number of bytes.
func inBytes(n float64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if math.Abs(n) < 1000 || unit == "GiB" {
			if math.Abs(n) < 9.95 {
				return fmt.Sprintf("%.1f %s", n, unit)
			}
			return fmt.Sprintf("%.0f %s", n, unit)
		}
		n /= 1024
	}
	return "" // not reached
}

// each is what one user adds between two weights.
func (f *bill) each(from, to weight) (nodes, disk, database float64) {
	d, n := to.minus(from), float64(f.users)
	return float64(d.nodes) / n, float64(d.disk) / n, float64(d.database) / n
}

// figures is what was measured.
func (f *bill) figures() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Measured with %d users on a machine with %d cores.\n", f.users, runtime.NumCPU())
	nodes, disk, tables := f.each(f.idle, f.installed)
	more, moreDisk, _ := f.each(f.installed, f.connected)
	line("| | memory, three nodes together | disk, three nodes together | tables and indexes |\n|---|---:|---:|---:|")
	line("| an installation, with its queue | %s | %s | %s |", inBytes(nodes), inBytes(disk), inBytes(tables))
	line("| its idle connection over TCP | %s | %s | – |", inBytes(more), inBytes(moreDisk))
	line("| so for each of three nodes | %s | %s | – |", inBytes((nodes+more)/size), inBytes((disk+moreDisk)/size))
	line("| a node with nothing to do | %s | %s | – |", inBytes(float64(f.idle.nodes)/size), inBytes(float64(f.idle.disk)/size))
	line("| a process of the cloud, without users and with all of them | %s, %s | – | – |\n",
		inBytes(float64(f.idle.clouds)/size), inBytes(float64(f.connected.clouds)/size))

	line("| all of it on this machine, %d requests at once where nothing else is said | a second |\n|---|---:|", callers)
	line("| registrations without a password | %v |", f.registrations)
	line("| logins with a password | %v |", f.logins)
	line("| first installs | %v |", f.installs)
	line("| endpoint, first connection and subscription | %v |", f.connects)
	line("| connection and subscription again, to another node | %v |", f.reconnects)
	for i, senders := range manySenders {
		line("| pushes to all in turn, %s, through one process; through three | %v; %v |",
			map[bool]string{true: "1 sender", false: fmt.Sprint(senders, " senders")}[senders == 1], f.pushes[i][0], f.pushes[i][1])
	}
	line("\n| one call | statements of PostgreSQL's | of them reads | transactions |\n|---|---:|---:|---:|")
	for _, c := range f.statements {
		line("| %s | %d | %d | %d |", c.call, c.all, c.reads, c.transactions)
	}
	return b.String()
}

// arithmetic is what follows from it.
func (f *bill) arithmetic() string {
	nodes, disk, tables := f.each(f.idle, f.installed)
	more, moreDisk, _ := f.each(f.installed, f.connected)
	user, userDisk := nodes+more, disk+moreDisk
	var b strings.Builder
	b.WriteString("| users, all of them connected | 10,000 | 100,000 | 1,000,000 |\n|---|---:|---:|---:|\n")
	for _, l := range []struct {
		what string
		is   func(n float64) string
	}{
		{"one process with the embedded engine: memory of its connections, 6 KiB each", func(n float64) string { return inBytes(n * 6 * 1024) }},
		{"RabbitMQ: memory of each of three nodes, beside what it takes with nothing to do", func(n float64) string { return inBytes(n * user / 3) }},
		{"of each of nine", func(n float64) string { return inBytes(n * user / 9) }},
		{"disk of each of three nodes", func(n float64) string { return inBytes(n * userDisk / 3) }},
		{"PostgreSQL: tables and indexes", func(n float64) string { return inBytes(n * tables) }},
		{"pings a second, at a keep alive of 60 s; of 300 s", func(n float64) string { return fmt.Sprintf("%.0f; %.0f", n/30, n/150) }},
		{"at the rates above: the first installs of all", func(n float64) string { return f.installs.lasts(n) }},
		{"a third of all, whose node died, connect again", func(n float64) string { return f.reconnects.lasts(n / 3) }},
		{"all log in with a password", func(n float64) string { return f.logins.lasts(n) }},
	} {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.what, l.is(1e4), l.is(1e5), l.is(1e6))
	}
	return b.String()
}

// write puts both between their marks in the document.
func (f *bill) write(t require.TestingT, path string) {
	path = filepath.Join(cloud.Root(), path)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	text := string(b)
	for name, part := range map[string]string{"figures": f.figures(), "arithmetic": f.arithmetic()} {
		begin, end := "<!-- "+name+": written by make scaling -->\n", "<!-- end of "+name+" -->\n"
		head, rest, ok := strings.Cut(text, begin)
		_, tail, closed := strings.Cut(rest, end)
		require.True(t, ok && closed, "%s has no marks of its %s", path, name)
		text = head + begin + "\n" + part + "\n" + end + tail
	}
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}
