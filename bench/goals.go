package main

import (
	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/report"
)

// goals are what kiiweb has set itself.
var goals = report.Goals{
	Rival: "MQTT.js",
	Rows: []report.Goal{
		received("1 packet per frame, 64 B, QoS 0", replay.Shape{Payload: 64}, 1.1, 1),
		received("1 packet per frame, 64 B, QoS 1", replay.Shape{Payload: 64, QoS: 1}, 1.5, 1.2),
		{Regime: "the local cloud's queue, QoS 0", Case: queuedCase, CPU: queuedCPU.ID, Factor: 2, Wall: queuedWall.ID, Pace: 4},
		received("16 KiB frames, 64 B, QoS 0", replay.Shape{Payload: 64, Frames: replay.Large}, 5, 12),
		received("16 KiB frames, 1 KiB, QoS 0", replay.Shape{Payload: 1024, Frames: replay.Large}, 3, 12),
		// 0.4 of the other's time is 2.5 times as good.
		{Regime: "round trip, median", Case: roundTripCase, Wall: roundTripP50.ID, Pace: 2.5},
	},
	Floor:  "frame counter",
	Client: "object counter",
	Metric: receiveCPU.ID,
	Share:  0.8,
	Floors: receiveCases(),
	Limits: []report.Limit{
		{Name: "the page's longest task while kiiweb (worker) starts, cold, ms", Subject: "kiiweb (worker)", Metric: startTask.ID, Case: "cold", Most: 50},
		{Name: "the same with everything cached, ms", Subject: "kiiweb (worker)", Metric: startTask.ID, Case: "cached", Most: 50},
		memory("kiiweb (main)", "in use, growth at QoS 0", memoryGrowth, growthCase(0), 1),
		memory("kiiweb (main)", "in use, growth at QoS 1", memoryGrowth, growthCase(1), 1),
		memory("kiiweb (worker)", "in use, growth at QoS 0", memoryGrowth, growthCase(0), 1),
		memory("kiiweb (worker)", "in use, growth at QoS 1", memoryGrowth, growthCase(1), 1),
		memory("kiiweb (main)", "of the renderer, growth at QoS 0", privateGrowth, growthCase(0), 4),
		memory("kiiweb (main)", "of the renderer, growth at QoS 1", privateGrowth, growthCase(1), 4),
		memory("kiiweb (worker)", "of the renderer, growth at QoS 0", privateGrowth, growthCase(0), 4),
		memory("kiiweb (worker)", "of the renderer, growth at QoS 1", privateGrowth, growthCase(1), 4),
		memory("kiiweb (main)", "on top in a flood at QoS 0", floodPeak, floodCase(0), 64),
		memory("kiiweb (main)", "on top in a flood at QoS 1", floodPeak, floodCase(1), 64),
		memory("kiiweb (worker)", "on top in a flood at QoS 0", floodPeak, floodCase(0), 64),
		memory("kiiweb (worker)", "on top in a flood at QoS 1", floodPeak, floodCase(1), 64),
	},
}

// memory is a limit in MiB.
func memory(subject, what string, m report.Metric, kase string, most float64) report.Limit {
	return report.Limit{Name: subject + ": memory, " + what + ", " + kase + ", MiB", Subject: subject, Metric: m.ID, Case: kase, Most: most}
}

func received(regime string, s replay.Shape, factor, pace float64) report.Goal {
	return report.Goal{Regime: regime, Case: caseOf(s), CPU: receiveCPU.ID, Factor: factor, Wall: receiveWall.ID, Pace: pace}
}

func receiveCases() []string {
	var cases []string
	for _, s := range receiveShapes() {
		cases = append(cases, caseOf(s))
	}
	return cases
}
