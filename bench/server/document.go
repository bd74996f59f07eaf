package main

import (
	"fmt"
	"strings"

	"github.com/kiiweb/kiiweb/bench/report"
)

const intro = `# Performance of the cloud

This file is written by ` + "`make bench-server`" + `, with every number in ` + "`bench/server-results.json`" + `.

The push cloud beside mosquitto, **in one run, one after the other in every round**. The two do not do the same: mosquitto hands on what it is
sent, from memory; the cloud takes a push through its REST API, looks up who has subscribed, and stores a row for each receiver, on the disk, before
the sender is answered. What they share is the MQTT part: the same subscribers, MQTT 3.1.1 at QoS 1. Servers, subscribers and
sender share one machine, so what is timed here is the subscribers' work, too. Numbers are medians over the rounds, with the lowest and the highest.

`

// document writes the results up.
func document(r *report.Results) string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("## The run\n\n| | |\n|---|---|\n")
	for _, f := range r.Facts {
		fmt.Fprintf(&b, "| %s | %s |\n", f.Name, f.Value)
	}
	for _, m := range []report.Metric{fanOutTime, fanOutRate, restRate, connectRate, idleMemory, idleProcess, idleCPU} {
		better := "less is better"
		if m.More {
			better = "more is better"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s; %s\n\n| | %s |\n|---|---|---|\n", m.Title, m.Unit, better, strings.Join(r.Clients, " | "))
		for _, kase := range r.Cases(m.ID) {
			fmt.Fprintf(&b, "| %s |", kase)
			for _, client := range r.Clients {
				cell := "–"
				if s := r.Find(m.ID, kase, client); s != nil {
					cell = report.RangeOf(s.Values).String()
				}
				fmt.Fprintf(&b, " %s |", cell)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
