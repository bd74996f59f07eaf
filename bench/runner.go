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
	load      string         // before anything of ours was
	number    int            // of the round
	turns     map[string]int // that there have been of a case
	fills     int            // of queues
	still     func(context.Context) (bool, error)
	waits     int // for quiet
	unquiet   int // of those, the ones in vain
}

// measure makes a run.
func measure(ctx context.Context, root string, o options, stderr io.Writer) (*report.Results, error) {
	r := &runner{options: o, stderr: stderr, clients: chosen(o), turns: make(map[string]int), results: &report.Results{Rounds: o.rounds}, began: time.Now(), load: load()}
	defer r.close()
	r.still = r.stillStage
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
		r.number = round
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
		report.Fact{Name: "began before all was quiet", Value: fmt.Sprintf("%d of %d", r.unquiet, r.waits)},
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
			if ctx.Err() != nil || p.warm != warm || p.most > 0 && number > p.most || !r.options.only.MatchString(p.name) {
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
	return c.turns(ctx, fits, kase, 1, perform)
}

// turns has the clients perform so many times: everybody once, in an order that changes from turn to turn, and
// then everybody again. So a burst has those of the others that it is compared with right beside it. What is
// measured in a turn is noted as its burst. Before each performance the stage is quiet.
func (c *company) turns(ctx context.Context, fits func(suite.Client) bool, kase string, turns int, perform func(*suite.Act) error) error {
	defer c.r.results.Burst(1)
	for turn := range turns {
		c.r.results.Burst(turn + 1)
		for _, act := range c.line(fits, kase) {
			if err := c.r.quiet(ctx); err != nil {
				return err
			}
			if err := perform(act); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				c.r.failed(kase, err)
				act.Close(ctx)
				c.acts[slices.Index(c.acts, act)] = nil
			}
		}
	}
	return nil
}

// who gives those who take part.
func (c *company) who(fits func(suite.Client) bool) []*suite.Act {
	var acts []*suite.Act
	for _, act := range c.acts {
		if act != nil && fits(act.Client) {
			acts = append(acts, act)
		}
	}
	return acts
}

// line gives those who take part, in the order of the case's next turn.
func (c *company) line(fits func(suite.Client) bool, kase string) []*suite.Act {
	var line []*suite.Act
	acts := c.who(fits)
	for _, i := range inTurn(len(acts), c.r.turns[kase]) {
		line = append(line, acts[i])
	}
	c.r.turns[kase]++
	return line
}

// quiet waits until the browser and the brokers have nothing to do any more, and counts how often it waits in vain.
func (r *runner) quiet(ctx context.Context) error {
	yes, err := r.still(ctx)
	if r.waits++; !yes {
		r.unquiet++
	}
	if err != nil && ctx.Err() == nil {
		return nil // a browser that is gone is told of by who performs next
	}
	return err
}

// stillStage asks whether everything on the stage stands still.
func (r *runner) stillStage(ctx context.Context) (bool, error) {
	brokers := []int{r.cloud.PID()}
	if r.mosquitto != nil {
		brokers = append(brokers, r.mosquitto.PID())
	}
	return r.stage.Quiet(ctx, brokers...)
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
