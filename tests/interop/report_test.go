package interop

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/interop.md from this run, which has to be a whole one")

// document is what a run with -update writes, in the folder of the main module.
var document = filepath.Join("docs", "interop.md")

// report is what a run has seen.
type report struct {
	versions [][2]string // of brokers and platforms, in the order seen
	outcomes map[cell]outcome
}

type cell struct {
	column   column
	scenario string
}

func newReport() *report { return &report{outcomes: map[cell]outcome{}} }

func (r *report) version(name, version string) {
	if v := [2]string{name, version}; !slices.Contains(r.versions, v) {
		r.versions = append(r.versions, v)
	}
}

func (r *report) note(c column, scenario string, o outcome) { r.outcomes[cell{c, scenario}] = o }

// write writes the document.
func (r *report) write(t *testing.T) {
	t.Helper()
	require.Len(t, r.outcomes, len(columns)*len(scenarios), "-update wants a whole run: no -short, and no -run for a part")
	var b bytes.Buffer
	fmt.Fprint(&b, `# Interoperability

Our client against brokers, most of which were not written here. The tests in `+"`tests/interop`"+` play each row in each column
and compare what they see with what they expect; this page is what a whole run saw (`+"`make interop`"+` writes it).

`)
	fmt.Fprint(&b, "| | version |\n|---|---|\n")
	for _, v := range r.versions {
		fmt.Fprintf(&b, "| %s | %s |\n", v[0], v[1])
	}
	b.WriteString(tables(func(c column, scenario string) outcome { return r.outcomes[cell{c, scenario}] }))
	require.NoError(t, os.WriteFile(document, b.Bytes(), 0o644))
}

// tables gives one table for each platform, and the notes.
func tables(look func(column, string) outcome) string {
	var b, notes strings.Builder
	numbers := map[string]int{}
	for _, platform := range []string{onNative, onChromium} {
		fmt.Fprintf(&b, "\n## %s\n\n|", strings.ToUpper(platform[:1])+platform[1:])
		mine := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.platform != platform })
		for _, c := range mine {
			fmt.Fprintf(&b, " | %s, MQTT %s, %s", c.broker, versionNames[c.protocol], c.transport)
		}
		b.WriteString(" |\n|---" + strings.Repeat("|---", len(mine)) + "|\n")
		for _, x := range scenarios {
			b.WriteString("| " + x.name)
			for _, c := range mine {
				b.WriteString(" | " + string(look(c, x.name)))
				if _, why := expected(c, x.name); why != "" {
					if numbers[why] == 0 {
						numbers[why] = len(numbers) + 1
						fmt.Fprintf(&notes, "%d. %s\n", numbers[why], why)
					}
					fmt.Fprintf(&b, " (%d)", numbers[why])
				}
			}
			b.WriteString(" |\n")
		}
	}
	return b.String() + "\n## Notes\n\n" + notes.String()
}

// TestTheDocumentSaysWhatIsExpected: whoever changes an expectation writes the document anew.
func TestTheDocumentSaysWhatIsExpected(t *testing.T) {
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	want := tables(func(c column, scenario string) outcome {
		o, _ := expected(c, scenario)
		return o
	})
	assert.True(t, strings.HasSuffix(string(text), want), "%s is not that of the expectations in the code: run `make interop`", document)
}
