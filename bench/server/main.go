// Command server measures the push cloud as a server, beside mosquitto doing the same part of MQTT
// in the same run, and writes bench/server-results.json and docs/performance-server.md.
//
//	make bench-server
//
// Everything is on loopback. A smaller run: go run ./bench/server -rounds 1 -connections 500 -write=false
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// options are the command's flags.
type options struct {
	rounds      int
	connections int
	write       bool
}

// longest bounds a run.
const longest = 30 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, longest)
	err := run(ctx, os.Args[1:], os.Stderr)
	cancel()
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench-server:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench-server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rounds, "rounds", 5, "how often everything is measured")
	flags.IntVar(&o.connections, "connections", 5000, "how many idle connections are held, at least 100")
	flags.BoolVar(&o.write, "write", true, "write bench/server-results.json and docs/performance-server.md; else the document goes to standard output")
	err := flags.Parse(args)
	if err == nil && (flags.NArg() > 0 || o.rounds < 1 || o.connections < 100 || o.connections > 15_000) {
		err = errors.New("there are no arguments but flags, rounds is above 0, and connections from 100 to 15000")
	}
	return o, err
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	root, err := chrome.Root()
	if err != nil {
		return err
	}
	if err := raiseFiles(uint64(o.connections) + 500); err != nil {
		return err
	}
	results, err := measure(ctx, root, o, stderr)
	if err != nil {
		return err
	}
	text := document(results)
	if !o.write {
		fmt.Print(text)
		return nil
	}
	if err := results.Write(filepath.Join(root, "bench", "server-results.json")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "performance-server.md"), []byte(text), 0o644)
}

// raiseFiles lets this process, and those that it starts, open so many files.
func raiseFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < n {
		return fmt.Errorf("this many connections take %d open files, and the system allows %d", n, limit.Max)
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// What is measured.
var (
	fanOutTime  = report.Metric{ID: "fanout-time", Title: "Time until the last subscriber has a message", Unit: "ms"}
	fanOutRate  = report.Metric{ID: "fanout-rate", Title: "Deliveries per second, 20 messages one after the other", Unit: "deliveries/s", More: true}
	restRate    = report.Metric{ID: "rest-rate", Title: "REST requests per second, 8 at a time", Unit: "requests/s", More: true}
	connectRate = report.Metric{ID: "connect-rate", Title: "Connections made and subscribed per second, 32 at a time", Unit: "connections/s", More: true}
	idleMemory  = report.Metric{ID: "idle-memory", Title: "Memory per idle connection", Unit: "KiB of the process's resident memory"}
	idleProcess = report.Metric{ID: "idle-process", Title: "Memory of the whole process with all of them", Unit: "MiB, resident"}
	idleCPU     = report.Metric{ID: "idle-cpu", Title: "Processor time with all of them idle", Unit: "ms in two seconds"}
)
