// Command bench measures kiiweb beside other MQTT clients, in one run and in turn, in real
// Chromium, and writes bench/results.json and docs/performance.md.
//
//	make build deps        # the library, Chromium and the other clients
//	go run ./bench         # less than 25 minutes on a machine that is idle
//	go run ./bench -render # the document once more, of what was measured last
//
//	# one part, three clients, three rounds, in about a minute
//	go run ./bench -only receive -forms 'QoS 0, 16 KiB' -clients 'main|MQTT|counter' -rounds 3 -profile=false -write=false
//
//	# this build beside another one, whose js/dist was copied to a folder
//	go run ./bench -before DIR -clients 'main|worker' -only receive -rounds 9 -profile=false -write=false
//
// Run it on a machine that does nothing else.
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
	"regexp"
	"syscall"

	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// options are the command's flags.
type options struct {
	rounds  int
	scale   float64
	full    bool
	only    *regexp.Regexp
	clients *regexp.Regexp
	forms   *regexp.Regexp
	before  string
	profile bool
	write   bool
	render  bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	only, clients, forms := "", "", ""
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rounds, "rounds", 8, fmt.Sprintf("how often, each time in new pages, what differs much from time to time is measured; the rest %d times at most", usual))
	flags.Float64Var(&o.scale, "scale", 1, "factor for the numbers of messages")
	flags.BoolVar(&o.full, "full", true, "grow to a million messages; else to a hundred thousand")
	flags.StringVar(&only, "only", "", "regular expression: measure only parts whose name matches (receive-single, receive, watch, publish, roundtrip, start, growth, large, flood, topics, mosquitto, cloud, queued)")
	flags.StringVar(&clients, "clients", "", "regular expression: measure only clients whose name matches, such as 'main|MQTT'")
	flags.StringVar(&forms, "forms", "", "regular expression: receive, and profile, only what has such a name, such as '64 B, QoS 1, 1 packet'")
	flags.StringVar(&o.before, "before", "", "folder with another build of the library (a js/dist), to be measured beside this one")
	flags.BoolVar(&o.profile, "profile", true, "tell where kiiweb's time goes, after the rounds")
	flags.BoolVar(&o.write, "write", true, "write bench/results.json and docs/performance.md; else they go to a new folder, which is named")
	flags.BoolVar(&o.render, "render", false, "measure nothing: write docs/performance.md from bench/results.json; with -write=false into a new folder")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(only); err == nil {
		o.clients, err = regexp.Compile(clients)
	}
	if err == nil {
		o.forms, err = regexp.Compile(forms)
	}
	if err == nil && (flags.NArg() > 0 || o.rounds < 1 || o.scale <= 0) {
		err = errors.New("there are no arguments but flags, and rounds and scale are above 0")
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
	}
	return o, err
}

// run does all the work and gives the exit code: 1 as well when a client failed.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	failures, err := measureAndWrite(ctx, o, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	if failures > 0 {
		fmt.Fprintf(stderr, "bench: %d measurements failed\n", failures)
		return 1
	}
	return 0
}

func measureAndWrite(ctx context.Context, o options, stderr io.Writer) (failures int, err error) {
	root, err := chrome.Root()
	if err != nil {
		return 0, err
	}
	data, docs := filepath.Join(root, "bench"), filepath.Join(root, "docs")
	if !o.write {
		if data, err = os.MkdirTemp("", "kiiweb-bench-results-"); err != nil {
			return 0, err
		}
		docs = data
	}
	path := filepath.Join(data, "results.json")
	if o.render {
		path = filepath.Join(root, "bench", "results.json") // wherever the document goes
	}
	var results *report.Results
	if o.render {
		results, err = report.Read(path)
	} else {
		results, err = measure(ctx, root, o, stderr)
		if err == nil {
			err = results.Write(path)
		}
	}
	if err != nil {
		return 0, err
	}
	if fmt.Fprintln(stderr, "bench: wrote", filepath.Join(docs, "performance.md")); !o.render {
		fmt.Fprintln(stderr, "bench: wrote", path)
	}
	return len(results.Failures), results.Document(docs, goals, sections)
}
