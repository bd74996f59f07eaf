//go:build linux

package cluster

import (
	"flag"
	"slices"
	"testing"
	"time"
)

var (
	whole  = flag.Bool("whole", false, "play every scenario for long, instead of its short form")
	report = flag.String("report", "", "write the figures into this `file`, from the module's folder, such as docs/cluster.md")
)

// scenario is one part of the test.
type scenario struct {
	name string
	play func(s *stage, f *figures)
}

// TestCluster plays one scenario after the other on one stage, since that takes a while to set up.
func TestCluster(t *testing.T) {
	began := time.Now()
	s := newStage(t)
	f := &figures{setUp: time.Since(began)}
	scenarios := []scenario{
		{"a browser on one node, pushes through another process, a takeover on another node", takeover},
		{"an uninstall at one process ends the connection on another node", uninstall},
		{"three processes race for one installation", race},
		{"a node dies while pushes flow", nodeDies},
		{"a process of the cloud dies while pushes flow", cloudDies},
		{"two nodes are dead", twoNodesDead},
		{"a node is cut off", cutOff},
		{"costs", costs},
	}
	if *whole { // each takes most of a minute, whatever its form
		scenarios = slices.Insert(scenarios, len(scenarios)-1, scenario{"RabbitMQ cannot ask the cloud", unanswered}, scenario{"a node hangs", hangs},
			scenario{"RabbitMQ has lost all that it had", emptied})
	}
	for _, scenario := range scenarios {
		if !t.Run(scenario.name, func(t *testing.T) {
			part := s.on(t)
			part.whole()
			scenario.play(part, f)
		}) {
			break // the stage is in a state that nobody knows
		}
	}
	f.total = time.Since(began)
	t.Log("\n" + f.text())
	if *report != "" && !t.Failed() {
		f.write(t, *report)
	}
}

// times is how often something is done in this run.
func times(short, long int) int {
	if *whole {
		return long
	}
	return short
}
