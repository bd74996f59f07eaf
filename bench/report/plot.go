package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// colors are the clients' in turn: kiiweb's hosts stand out, the marks are grey.
var colors = []string{"#c2410c", "#fb923c", "#1d4ed8", "#0f766e", "#7e22ce", "#0369a1", "#4d7c0f"}

const (
	markColor = "#a3a3a3"
	barHeight = 13
	labelLeft = 250 // where bars begin, in pixels
	barsWide  = 470 // the longest bar
	plotWide  = labelLeft + barsWide + 110
)

// Plot draws a metric as bars on a logarithmic scale, a group for each case, with a line over
// the interval.
func (r *Results) Plot(m Metric, cases []string) string {
	low, high := r.limits(m, cases)
	at := func(v float64) float64 { return barsWide * math.Log10(v/low) / math.Log10(high/low) }
	var b strings.Builder
	y := 56
	for _, kase := range cases {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" font-weight="600">%s</text>`+"\n", labelLeft-8, y+barHeight-3, html.EscapeString(kase))
		y += barHeight + 3
		for i, client := range r.Clients {
			s := r.Find(m.ID, kase, client)
			if s == nil || s.Spread().Low <= 0 {
				continue
			}
			v, middle := s.Spread(), y+barHeight/2
			fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelLeft-8, y+barHeight-3, html.EscapeString(client))
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, labelLeft, y, at(v.Median), barHeight-2, r.color(i))
			fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#111" stroke-width="1.5"/>`,
				labelLeft+at(v.Low), labelLeft+at(v.High), middle, middle)
			fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`+"\n", labelLeft+at(v.High)+5, y+barHeight-3, number(v.Median))
			y += barHeight
		}
		y += 8
	}
	better := "less"
	if m.More {
		better = "more"
	}
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="11" role="img">`+"\n",
		plotWide, y)
	head += fmt.Sprintf(`<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWide, y)
	head += fmt.Sprintf(`<text x="12" y="22" font-size="14" font-weight="600">%s</text>`+"\n", html.EscapeString(m.Title))
	head += fmt.Sprintf(`<text x="12" y="40" fill="#525252">%s, logarithmic; %s is better</text>`+"\n", html.EscapeString(m.Unit), better)
	return head + b.String() + "</svg>\n"
}

func (r *Results) color(client int) string {
	for _, mark := range r.Marks {
		if r.Clients[client] == mark {
			return markColor
		}
	}
	return colors[client%len(colors)]
}

// limits are the ends of the scale: a little below the lowest value, so that it has a bar.
func (r *Results) limits(m Metric, cases []string) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, kase := range cases {
		for _, client := range r.Clients {
			if s := r.Find(m.ID, kase, client); s != nil {
				if v := s.Spread(); v.Low > 0 {
					low, high = min(low, v.Low), max(high, v.High)
				}
			}
		}
	}
	if high == 0 {
		return 1, 10
	}
	return low / 2, high * 1.05
}
