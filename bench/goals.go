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
	Floors: []report.Floor{
		{Mark: "frame counter", Does: "which touches no message"},
		{Mark: "object counter", Does: "which does of each message no more than what makes a client: an object, a view of the payload, a call of the handler"},
	},
	Share:  0.8,
	Metric: receiveCPU.ID,
	Cases:  receiveCases(),
	Limits: []report.Limit{
		{Name: "the page's longest task during the start, cold, ms", Subjects: []string{"kiiweb (worker)"}, Metric: startTask.ID, Case: "cold", Most: 50},
		{Name: "the same with everything cached, ms", Subjects: []string{"kiiweb (worker)"}, Metric: startTask.ID, Case: "cached", Most: 50},
		memory("memory in use that 900,000 messages add, QoS 0", memoryGrowth, growthCase(0), 1),
		memory("the same, QoS 1", memoryGrowth, growthCase(1), 1),
		memory("memory of the renderer that they add, QoS 0", privateGrowth, growthCase(0), 4),
		memory("the same, QoS 1", privateGrowth, growthCase(1), 4),
		memory("memory on top in a flood, QoS 0", floodPeak, floodCase(0), 64),
		memory("the same, QoS 1", floodPeak, floodCase(1), 64),
	},
}

// memory is a limit in MiB.
func memory(name string, m report.Metric, kase string, most float64) report.Limit {
	return report.Limit{Name: name + ", MiB", Metric: m.ID, Case: kase, Most: most}
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
