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
		Rival: "A", Floors: []Floor{{"mark", "which reads nothing"}, {"B", "which does"}}, Share: 0.105, Metric: "rate", Cases: []string{"1 packet per frame", "nobody's"},
		Limits: []Limit{
			{"a", nil, "rate", "1 packet per frame", 120}, {"b", nil, "rate", "1 packet per frame", 99}, {"c", nil, "rate", "1 packet per frame", 110},
			{"d", nil, "rate", "nobody's", 50}, {"e", []string{"another"}, "rate", "1 packet per frame", 50},
		},
		Rows: []Goal{
			{"both", "1 packet per frame", "rate", 1.83, "rate", 2.5},
			{"less is better", "cold", "", 0, "time", 2},
			{"nobody's", "nobody's", "rate", 1, "", 0},
		},
	})
	text := b.String()
	for _, want := range []string{
		"| regime | goal, per CPU second | kiiweb | goal, by the clock | kiiweb |\n|---|---|---|---|---|\n",
		"**This run had 3 rounds, and 5 are the fewest for that**",
		"| a | 120 | 110 <sub>100–120</sub> met |",
		"| b | 99 | 110 <sub>100–120</sub> **not met** |",
		"| c | 110 | 110 <sub>100–120</sub> *open* |",
		"| d | 50 | **not measured** |",
		"| e | 50 | – |",
		"| both | ≥ 1.83 | 2× <sub>1.83–2.4</sub> met | ≥ 2.5 | 2× <sub>1.83–2.4</sub> **not met** |",
		"| less is better | – | – | ≥ 2 | 2× <sub>1.83–2.4</sub> *open* |",
		"| nobody's | ≥ 1 | **not measured** | – | – |",
		"the mark, which reads nothing; the B, which does.",
		"| 1 packet per frame | 0.11× <sub>0.1–0.12</sub> *open* | 0.05× <sub>0.05–0.06</sub> |",
		"| nobody's | **not measured** | not measured |",
	} {
		assert.Contains(t, text, want)
	}
	r.Rounds = enough
	assert.Empty(t, r.few())
	assert.GreaterOrEqual(t, Confidence(enough), confident)
	assert.Less(t, Confidence(enough-1), confident)
}
