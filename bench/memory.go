package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

const mebibyte = 1 << 20

// grown names what a page has received when its memory is read.
func grown(messages int, shape replay.Shape) string {
	return fmt.Sprintf("after %s messages, %s", report.Commas(messages), caseOf(shape))
}

// growthCase is the case of memory that is added from the first to the second number of messages.
func growthCase(qos byte) string {
	return fmt.Sprintf("from %s to %s messages, %s", report.Commas(settled), report.Commas(grownTo), caseOf(growing(qos)))
}

// settled is after how many messages a page has all that it needs; what comes on top up to grownTo
// is growth.
const settled, grownTo = 100_000, 1_000_000

// told are the numbers of messages that have a row in the tables; between the larger ones there are more for the line.
var told = []int{1_000, 10_000, settled, 500_000, grownTo}

func growing(qos byte) replay.Shape {
	return replay.Shape{QoS: qos, Payload: 64, Frames: replay.Large}
}

// longRounds is in how many rounds the clients other than kiiweb take part in what MQTT.js takes a minute for.
const longRounds = 3

// patient tells whether a client takes part in that in this round.
func (r *runner) patient(c suite.Client) bool { return subjects(c) || r.number <= longRounds }

// growth is what becomes of a page as more and more messages come: at QoS 0 of every client's, and of kiiweb's
// at QoS 1, at which the others take minutes for a million.
func (r *runner) growth(ctx context.Context, c *company) error {
	if err := r.grow(ctx, c, unlessUniform, 0, told[:2]); err != nil {
		return err
	}
	return r.grow(ctx, c, subjects, 1, nil)
}

// late are the numbers of messages from settled on.
func (r *runner) late(c suite.Client) []int {
	late := []int{settled}
	if r.options.full && r.patient(c) {
		for n := 2 * settled; n <= grownTo; n += settled {
			late = append(late, n)
		}
	}
	return late
}

func (r *runner) grow(ctx context.Context, c *company, fits func(suite.Client) bool, qos byte, early []int) error {
	shape := growing(qos)
	return c.each(ctx, fits, "growth, "+caseOf(shape), func(a *suite.Act) error {
		sums := append(slices.Clone(early), r.late(a.Client)...)
		steps, err := a.Grow(ctx, shape, sums)
		for i, s := range steps {
			if slices.Contains(told, sums[i]) {
				r.rate(growthCPU, grown(sums[i], shape), a, s.Received.Messages, s.Received.CPU.Total())
				r.memory(grown(sums[i], shape), a.Client.Name, s.Memory)
			}
		}
		if err == nil && sums[len(sums)-1] == grownTo {
			added := func(m report.Metric, of func(browser.Memory) int) {
				r.results.Add(m, growthCase(qos), a.Client.Name, addedBy(steps, of)/mebibyte)
			}
			added(memoryGrowth, browser.Memory.Used)
			added(privateGrowth, func(m browser.Memory) int { return m.Private })
		}
		return err
	})
}

// addedBy is what comes on top from settled to grownTo messages, by a line through all steps between.
func addedBy(steps []suite.Step, of func(browser.Memory) int) float64 {
	var x, y []float64
	for _, s := range steps {
		if s.Messages >= settled {
			x, y = append(x, float64(s.Messages)), append(y, float64(of(s.Memory)))
		}
	}
	return report.Slope(x, y) * (grownTo - settled)
}

func (r *runner) memory(kase, client string, m browser.Memory) {
	r.results.Add(memoryPrivate, kase, client, float64(m.Private)/mebibyte)
	r.results.Add(memoryUsed, kase, client, float64(m.Used())/mebibyte)
	r.results.Add(memoryHeap, kase, client, float64(m.Heap)/mebibyte)
	r.results.Add(memoryWasm, kase, client, float64(m.Wasm)/mebibyte)
}

// largeSize is nearly what a client takes at all, in bytes.
const largeSize = 900 << 10

const largeCase = "one message of 900 KiB, QoS 1"

// large is what stays of one large message when it is gone.
func (r *runner) large(ctx context.Context, c *company) error {
	n := r.scaled(20_000)
	return c.each(ctx, readers, largeCase, func(a *suite.Act) error {
		before, after, err := a.Large(ctx, largeSize, n)
		if err == nil {
			r.results.Add(memoryLarge, largeCase, a.Client.Name, float64(after.Private-before.Private)/mebibyte)
			r.results.Add(memoryLargeWasm, largeCase, a.Client.Name, float64(after.Wasm-before.Wasm)/mebibyte)
		}
		return err
	})
}

// floodMessages of floodSize bytes come at once, twice what kiiweb's worker keeps for a page that is
// busy, and a handler takes floodWork for each.
const (
	floodMessages = 8_000
	floodSize     = 4 << 10
	floodWork     = 40 * time.Microsecond
)

func floodCase(qos byte) string {
	return fmt.Sprintf("%s messages of %d KiB, QoS %d, 16 KiB frames, %v of work for each",
		report.Commas(floodMessages), floodSize>>10, qos, floodWork)
}

// flood is what happens where messages come faster than they are handled.
func (r *runner) flood(ctx context.Context, c *company) error {
	for qos := range byte(2) {
		shape := replay.Shape{QoS: qos, Payload: floodSize, Frames: replay.Large}
		fits := func(c suite.Client) bool { return c.Reads && r.patient(c) }
		err := c.each(ctx, fits, floodCase(qos), func(a *suite.Act) error {
			got, err := a.Flood(ctx, shape, floodMessages, floodWork)
			if err == nil {
				r.results.Add(floodPeak, floodCase(qos), a.Client.Name, float64(got.Peak-got.Before)/mebibyte)
				r.results.Add(floodDropped, floodCase(qos), a.Client.Name, float64(got.Dropped))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
