package main

import (
	"context"
	"fmt"

	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// fromMosquitto is the sanity row: the same with a broker that was not written for it.
func (r *runner) fromMosquitto(ctx context.Context, c *company) error {
	if r.mosquitto == nil {
		return nil
	}
	n := r.scaled(3_000)
	const kase = "64 B, QoS 0, frames as mosquitto makes them"
	return c.each(ctx, everybody, kase, func(a *suite.Act) error {
		got, err := a.ReceiveFrom(ctx, r.mosquitto, 64, n)
		if err != nil {
			return err
		}
		r.rate(mosquittoCPU, kase, a, got.Messages, got.CPU.Total())
		if got.Frames > 0 {
			r.results.Add(mosquittoFrames, kase, a.Client.Name, float64(got.Messages)/float64(got.Frames))
		}
		return nil
	})
}

// fromCloud is the other sanity row: pushes as Kii's REST API takes them, one by one.
func (r *runner) fromCloud(ctx context.Context, c *company) error {
	n := r.scaled(100)
	kase := "pushes sent one after the other, QoS 1, 1 packet per frame"
	return c.each(ctx, readers, kase, func(a *suite.Act) error {
		got, err := a.ReceivePushes(ctx, r.cloud, n)
		if err == nil {
			r.results.Add(cloudCPU, kase, a.Client.Name, got.CPU.Total().Seconds()*1e6/float64(got.Messages))
		}
		return err
	})
}

// profiles tell where the time goes, with names, which the shipped module does not have.
func (r *runner) profiles(ctx context.Context, root string) error {
	if err := r.stage.Site.UseNames(root); err != nil {
		return err
	}
	kiiweb := r.clients[0]
	for _, shape := range profiled {
		act, err := r.stage.Open(ctx, kiiweb)
		if err != nil {
			return err
		}
		warm, n := r.burst(shape)
		spent, err := act.ProfileReceive(ctx, shape, 2*warm, 4*n)
		act.Close(ctx)
		if err != nil {
			return err
		}
		r.results.Profiles = append(r.results.Profiles, profileOf("receiving "+caseOf(shape), spent))
	}
	for qos := range byte(2) {
		act, err := r.stage.Open(ctx, kiiweb)
		if err != nil {
			return err
		}
		spent, err := act.ProfilePublish(ctx, qos, r.scaled(1_000), r.scaled(5_000))
		act.Close(ctx)
		if err != nil {
			return err
		}
		r.results.Profiles = append(r.results.Profiles, profileOf(fmt.Sprintf("publishing 64 B, QoS %d, 500 at a time", qos), spent))
	}
	return nil
}

// functionsShown is how many functions of a profile are named.
const functionsShown = 20

func profileOf(kase string, spent []suite.Spent) report.Profile {
	p := report.Profile{Case: kase}
	for _, g := range suite.Groups(spent) {
		p.Groups = append(p.Groups, report.Share{Name: g.Name, Share: g.Share})
	}
	for _, f := range suite.Shares(spent) {
		if len(p.Functions) < functionsShown {
			p.Functions = append(p.Functions, report.Share{Name: f.Name, Share: f.Share})
		}
	}
	return p
}
