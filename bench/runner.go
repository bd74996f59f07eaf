package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/kiiweb/kiiweb/bench/cloud"
	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// runner takes all clients through all parts, in turn.
type runner struct {
	options   options
	stderr    io.Writer
	stage     *suite.Stage
	mosquitto *suite.Mosquitto // nil where it is not installed
	cloud     *cloud.Cloud
	clients   []suite.Client
	company   *company // in a round
	results   *report.Results
	began     time.Time
	load      string // before anything of ours was
}

// measure makes a run.
func measure(ctx context.Context, root string, o options, stderr io.Writer) (*report.Results, error) {
	r := &runner{options: o, stderr: stderr, clients: chosen(o), results: &report.Results{Rounds: o.rounds}, began: time.Now(), load: load()}
	defer r.close()
	if err := r.open(ctx, root); err != nil {
		return nil, err
	}
	for _, c := range r.clients {
		r.results.Clients = append(r.results.Clients, c.Name)
		if c.Mark {
			r.results.Marks = append(r.results.Marks, c.Name)
		}
		if subjects(c) {
			r.results.Subjects = append(r.results.Subjects, c.Name)
		}
	}
	var err error
	if r.results.Facts, err = r.facts(ctx); err != nil {
		return nil, err
	}
	for round := 1; round <= o.rounds && ctx.Err() == nil; round++ {
		r.results.Begin(round)
		r.round(ctx, round)
	}
	if o.profile && ctx.Err() == nil && slices.ContainsFunc(r.clients, inThePage) {
		r.say("profiles")
		if err := r.profiles(ctx, root); err != nil {
			r.failed("profiles", err)
		}
	}
	if ctx.Err() != nil { // what there is by now is kept
		r.failed("the run", errors.New("it was ended early"))
	}
	r.results.Facts = append(r.results.Facts,
		report.Fact{Name: "the run took", Value: time.Since(r.began).Round(time.Second).String()})
	return r.results, nil
}

// chosen gives the clients that the options name.
func chosen(o options) []suite.Client {
	clients := suite.Clients()
	if o.before != "" {
		clients = append(clients, suite.Before()...)
	}
	return slices.DeleteFunc(clients, func(c suite.Client) bool { return !o.clients.MatchString(c.Name) })
}

func (r *runner) open(ctx context.Context, root string) (err error) {
	if r.stage, err = suite.NewStage(root); err != nil {
		return err
	}
	if r.options.before != "" {
		if err = r.stage.Site.AddBefore(r.options.before); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if r.mosquitto, err = suite.StartMosquitto(wait); err == nil {
		r.cloud, err = suite.StartCloud(ctx, root)
	}
	return err
}

func (r *runner) close() {
	if r.cloud != nil {
		r.cloud.Close()
	}
	if r.mosquitto != nil {
		r.mosquitto.Close()
	}
	if r.stage != nil {
		r.stage.Close()
	}
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.stderr, "bench: %6s  %s\n", time.Since(r.began).Round(time.Second), fmt.Sprintf(format, args...))
}

// round plays every part once. What fails is reported, and nothing else is lost by it.
func (r *runner) round(ctx context.Context, number int) {
	for _, warm := range []bool{true, false} {
		for _, p := range parts {
			if ctx.Err() != nil || p.warm != warm || !r.options.only.MatchString(p.name) {
				continue
			}
			if r.company == nil {
				r.company = r.assemble(ctx, warm)
			}
			r.say("round %d of %d: %s", number, r.options.rounds, p.name)
			if err := p.play(r, ctx, r.company); err != nil {
				r.failed(p.name, err)
			}
		}
		r.company.dismiss(ctx)
		r.company = nil
	}
}

// failed notes what went wrong.
func (r *runner) failed(what string, err error) {
	r.say("%s: %v", what, err)
	r.results.Failures = append(r.results.Failures, what+": "+err.Error())
}

// company is all clients in tabs, side by side.
type company struct {
	r    *runner
	acts []*suite.Act // nil for one that has failed
}

// assemble opens a fresh tab for each client, and warms it up if asked to. One that does not open
// is missing. A browser that has died is followed by another.
func (r *runner) assemble(ctx context.Context, warm bool) *company {
	if err := r.stage.Revive(ctx); err != nil {
		r.failed("the browser", err)
	}
	c := &company{r: r}
	for _, client := range r.clients {
		act, err := r.stage.Open(ctx, client)
		if err != nil {
			r.failed("opening a tab", err)
			continue
		}
		c.acts = append(c.acts, act)
	}
	if warm {
		_ = c.each(ctx, everybody, "warming up", func(a *suite.Act) error { return a.WarmUp(ctx) })
	}
	return c
}

// each has the clients perform one after the other. One that fails is reported and takes
// no further part in this round.
func (c *company) each(ctx context.Context, fits func(suite.Client) bool, kase string, perform func(*suite.Act) error) error {
	for i, act := range c.acts {
		if act == nil || !fits(act.Client) {
			continue
		}
		if err := perform(act); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.r.failed(kase, err)
			act.Close(ctx)
			c.acts[i] = nil
		}
	}
	return nil
}

// dismiss closes the tabs. Nobody is a company, too.
func (c *company) dismiss(ctx context.Context) {
	if c == nil {
		return
	}
	for _, act := range c.acts {
		if act != nil {
			act.Close(ctx)
		}
	}
}

func everybody(suite.Client) bool { return true }

func unlessUniform(c suite.Client) bool { return !c.Uniform }

// subjects are kiiweb, wherever it runs.
func subjects(c suite.Client) bool { return c.Where != "" && !c.Before }

func inThePage(c suite.Client) bool { return c.Where == "main" }

func readers(c suite.Client) bool { return c.Reads }

// scaled is a number of messages by the -scale flag.
func (r *runner) scaled(n int) int { return max(1, int(float64(n)*r.options.scale)) }
