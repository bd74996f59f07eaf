// Command demo runs a local Kii-compatible push cloud and a page that shows push to a
// browser from end to end. Nothing else is needed: no account, no other server.
//
//	make build        # the library that the page loads
//	go run ./demo     # then open the URL that it prints
//
// One line on standard output, "ready {json}", says where everything listens, unless -ready=false; people
// are told on standard error. SIGINT and SIGTERM stop it cleanly, a second one at once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

// stopTime is how long a clean stop may take, after -drain, before connections are cut.
const stopTime = 10 * time.Second

// Exit codes: what a shell expects of a program that was used wrongly, or interrupted.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// options are the command's flags.
type options struct {
	cloud  kiicloud.Config
	webDir string
	dist   string

	logLevel  slog.Level
	logFormat string
	ready     bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	o.register(flags)
	if err := parseFlags(flags, args, help, stderr); err != nil {
		return o, err
	}
	if err := kiicloud.FromEnvironment(flags, os.LookupEnv); err != nil {
		fmt.Fprintln(stderr, err)
		return o, err
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		err := errors.New("-log-format is text or json")
		fmt.Fprintln(stderr, err)
		return o, err
	}
	if flags.NArg() > 0 {
		err := errors.New("unexpected argument " + flags.Arg(0))
		fmt.Fprintln(stderr, err)
		return o, err
	}
	return o, nil
}

// register gives flags the command's.
func (o *options) register(flags *flag.FlagSet) {
	o.cloud.RegisterFlags(flags)
	flags.StringVar(&o.dist, "kiiweb", "js/dist", "folder with the built library, served at /kiiweb/")
	flags.StringVar(&o.webDir, "web", "", "folder to serve the page from instead of the copy inside the program, for editing it")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "the least `level` that is logged: debug, info, warn, error")
	flags.StringVar(&o.logFormat, "log-format", "text", "text or json; with json people are told nothing else on standard error")
	flags.BoolVar(&o.ready, "ready", true, "write the ready line to standard output; it has the administrator's secret, so switch it off where that is logged")
}

// logger writes what there is to say about running.
func (o options) logger(to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// run does all the work and gives the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if c, ok := commands[args[0]]; ok {
			return c.run(args[1:], stdout, stderr)
		}
	}
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	logger := o.logger(stderr)
	page, err := newSite(o.webDir, o.dist)
	if err != nil {
		logger.Error("the page cannot be served", "error", err)
		return exitFailed
	}
	o.cloud.Page, o.cloud.Logger = page, logger
	server, err := kiicloud.Start(context.Background(), o.cloud)
	if err != nil {
		logger.Error("the cloud did not start", "error", err)
		return exitFailed
	}
	ready := server.Ready()
	page.announce(factsOf(ready), contentPolicy(server.Host(), ready.PortWS, ready.PortWSS))
	if o.ready {
		if err := report(stdout, ready); err != nil {
			logger.Error("the ready line could not be written", "error", err)
			stop(server.Shutdown, stopTime, signals, logger)
			return exitFailed
		}
	}
	if o.logFormat == "json" {
		logger.Info("ready", "http", ready.HTTP, "https", ready.HTTPS, "mqtt", ready.PortTCP, "mqtts", ready.PortSSL, "notice", page.notice())
	} else {
		greet(stderr, ready, server.Host(), page.notice())
	}
	<-signals
	return stop(server.Shutdown, stopTime+o.cloud.Drain, signals, logger)
}

// stop ends the server cleanly; a second signal, or the time being up, ends it at once.
func stop(shutdown func(context.Context) error, within time.Duration, signals <-chan os.Signal, logger *slog.Logger) int {
	logger.Info("stopping; press Ctrl+C again to stop at once")
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- shutdown(ctx) }()
	select {
	case err := <-stopped:
		if err != nil {
			logger.Error("the cloud did not stop cleanly", "error", err)
			return exitFailed
		}
		logger.Info("stopped")
		return 0
	case <-signals:
		logger.Warn("stopped at once")
		return exitInterrupted
	}
}

func factsOf(r kiicloud.Ready) facts {
	return facts{AppID: r.AppID, AppKey: r.AppKey, BaseURL: "/api", CA: r.CA}
}

// report writes the line for programs.
func report(stdout io.Writer, r kiicloud.Ready) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "ready %s\n", line)
	return err
}
