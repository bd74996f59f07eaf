package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/bench/replay"
)

func TestFlags(t *testing.T) {
	o, err := parse(nil, &strings.Builder{})
	require.NoError(t, err)
	assert.Equal(t, 8, o.rounds)
	assert.True(t, o.write)
	for _, args := range [][]string{{"-rounds", "0"}, {"-scale", "0"}, {"-only", "("}, {"-clients", "("}, {"-forms", "("}, {"extra"}, {"-nosuch"}} {
		var said strings.Builder
		_, err := parse(args, &said)
		require.Error(t, err, args)
		assert.NotEmpty(t, said.String())
	}
}

func TestTheDocumentIsWrittenOnceMore(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	var said strings.Builder
	_, err := measureAndWrite(t.Context(), options{render: true}, &said)
	require.NoError(t, err, said.String())
	written, err := filepath.Glob(filepath.Join(folder, "*", "performance.md"))
	require.NoError(t, err)
	require.Len(t, written, 1, said.String())
	text, err := os.ReadFile(written[0])
	require.NoError(t, err)
	for _, g := range goals.Rows {
		assert.Contains(t, string(text), "| "+g.Regime+" | ")
	}
	for _, s := range sections {
		assert.Contains(t, string(text), "## "+s.Title)
	}
}

func TestOnlyChoosesParts(t *testing.T) {
	o, err := parse([]string{"-only", "^(growth|start)$"}, &strings.Builder{})
	require.NoError(t, err)
	var chosen []string
	for _, p := range parts {
		if o.only.MatchString(p.name) {
			chosen = append(chosen, p.name)
		}
	}
	assert.Equal(t, []string{"growth", "start"}, chosen)
}

func TestClientsAreChosen(t *testing.T) {
	o, err := parse([]string{"-clients", "main|frame"}, &strings.Builder{})
	require.NoError(t, err)
	var names []string
	for _, c := range chosen(o) {
		names = append(names, c.Name)
	}
	assert.Equal(t, []string{"kiiweb (main)", "frame counter"}, names)
}

func TestAnotherBuildIsMeasuredBeside(t *testing.T) {
	o, err := parse([]string{"-before", "folder", "-clients", "main"}, &strings.Builder{})
	require.NoError(t, err)
	var names []string
	for _, c := range chosen(o) {
		names = append(names, c.Name)
	}
	assert.Equal(t, []string{"kiiweb (main)", "before (main)"}, names)
	assert.True(t, subjects(chosen(o)[0]))
	assert.False(t, subjects(chosen(o)[1]), "it is a rival")
}

func TestGoalsAreAboutWhatIsMeasured(t *testing.T) {
	known := map[string]bool{queuedCase: true, roundTripCase: true}
	for _, s := range receiveShapes() {
		known[caseOf(s)] = true
	}
	for _, g := range goals.Rows {
		assert.True(t, known[g.Case], g.Case)
	}
}

func TestCasesNameTheFrames(t *testing.T) {
	assert.Equal(t, "64 B, QoS 0, 1 packet per frame", caseOf(replay.Shape{Payload: 64}))
	assert.Equal(t, "1 KiB, QoS 1, 16 KiB frames", caseOf(replay.Shape{Payload: 1024, QoS: 1, Frames: replay.Large}))
}

func TestEveryMetricHasItsPlace(t *testing.T) {
	shown := map[string]bool{}
	for _, s := range sections {
		for _, table := range s.Tables {
			assert.False(t, shown[table.Metric], "%s is shown twice", table.Metric)
			shown[table.Metric] = true
		}
	}
	for _, m := range metrics {
		assert.True(t, shown[m.ID], "%s is not shown", m.ID)
	}
	assert.Len(t, metrics, len(shown))
}

func TestWhatOthersUseIsSeen(t *testing.T) {
	before := "cpu  100 10 50 800 40 0 0 0 7 0\ncpu0 1 2 3\n"
	assert.InDelta(t, 0.25, used(before, "cpu  120 10 54 860 55 0 1 0 9 0\ncpu0 4 5 6\n"), 1e-9)
	assert.Equal(t, "5%", sayLoad(0.05))
	assert.Contains(t, sayLoad(0.25), "25%: **the machine was busy")
}
