package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// profiled are the forms of receiving whose time is told apart.
var profiled = []replay.Shape{
	{Payload: 64, Frames: replay.OnePacket},
	{Payload: 64, Frames: replay.Large},
	{Payload: 64, QoS: 1, Frames: replay.OnePacket},
	{Payload: 64, QoS: 1, Frames: replay.Large},
}

// framesCounted and publishesCounted are how many of each the calls are counted for.
const (
	framesCounted    = 200
	publishesCounted = 1_000
)

// profiles tell where kiiweb's time goes, with names, which the shipped module does not have.
func (r *runner) profiles(ctx context.Context, root string) error {
	if err := r.stage.Site.UseNames(root); err != nil {
		return err
	}
	for _, shape := range profiled {
		n := r.burst(shape)
		err := r.profile(ctx, "receiving "+caseOf(shape), "frame",
			func(a *suite.Act) ([]suite.Spent, error) { return a.ProfileReceive(ctx, shape, n, 6*n) },
			func(a *suite.Act) ([]suite.Group, error) { return a.CrossingsReceive(ctx, shape, framesCounted) })
		if err != nil {
			return err
		}
	}
	for qos := range byte(2) {
		err := r.profile(ctx, fmt.Sprintf("publishing 64 B, QoS %d, 500 at a time", qos), "message",
			func(a *suite.Act) ([]suite.Spent, error) {
				return a.ProfilePublish(ctx, qos, r.scaled(1_000), r.scaled(5_000))
			},
			func(a *suite.Act) ([]suite.Group, error) { return a.CrossingsPublish(ctx, qos, publishesCounted) })
		if err != nil {
			return err
		}
	}
	return nil
}

// profile notes one case: the time in one page, the calls in another, since counting costs time.
func (r *runner) profile(ctx context.Context, kase, unit string,
	time func(*suite.Act) ([]suite.Spent, error), calls func(*suite.Act) ([]suite.Group, error),
) error {
	if !r.options.forms.MatchString(kase) {
		return nil
	}
	p := report.Profile{Case: kase, Unit: unit}
	i := slices.IndexFunc(r.clients, inThePage)
	kiiweb := r.clients[i] // in the page, where the profiler and the counter see it
	act, err := r.stage.Open(ctx, kiiweb)
	if err != nil {
		return err
	}
	spent, err := time(act)
	act.Close(ctx)
	if err != nil {
		return err
	}
	p.Groups = shares(suite.Groups(spent))
	p.Functions = shares(suite.Shares(spent))
	p.Functions = p.Functions[:min(len(p.Functions), functionsShown)]
	if act, err = r.stage.Open(ctx, kiiweb); err != nil {
		return err
	}
	counted, err := calls(act)
	act.Close(ctx)
	p.Calls = shares(counted)
	r.results.Profiles = append(r.results.Profiles, p)
	return err
}

// functionsShown is how many functions of a profile are named.
const functionsShown = 20

func shares(groups []suite.Group) []report.Share {
	var list []report.Share
	for _, g := range groups {
		list = append(list, report.Share{Name: g.Name, Share: g.Share})
	}
	return list
}
