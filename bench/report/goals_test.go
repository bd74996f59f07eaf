package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGoals(t *testing.T) {
	r := sample()
	var b strings.Builder
	r.goals(&b, Goals{
		Rival: "A", Floor: "mark", Share: 0.1, Metric: "rate", Floors: []string{"1 packet per frame", "nobody's"},
		Limits: []Limit{{"a", "A", "rate", "1 packet per frame", 50}, {"b", "B", "rate", "1 packet per frame", 50}, {"c", "C", "rate", "nobody's", 50}},
		Rows: []Goal{
			{"both", "1 packet per frame", "rate", 2, "rate", 2.5},
			{"less is better", "cold", "", 0, "time", 1.5},
			{"nobody's", "nobody's", "rate", 1, "", 0},
		},
	})
	text := b.String()
	assert.Contains(t, text, "| a | 50 <sub>50–60</sub> | 50 | met |")
	assert.Contains(t, text, "| b | 220 <sub>200–260</sub> | 50 | **not met** |")
	assert.Contains(t, text, "| c | not measured | 50 | **not measured** |")
	assert.Contains(t, text, "| both | 2× (1.83–2.4) | ≥ 2 | met | 2× (1.83–2.4) | ≥ 2.5 | **not met** |")
	assert.Contains(t, text, "| less is better | – | – |  | 2× (1.83–2.4) | ≥ 1.5 | met |")
	assert.Contains(t, text, "| nobody's | not measured | ≥ 1 | **not measured** | – | – |  |")
	assert.Contains(t, text, "| 1 packet per frame | 0.11× (0.1–0.12) | met | 0.05× (0.05–0.06) |")
	assert.Contains(t, text, "| nobody's | not measured | **not measured** | not measured |")
}
