package interop

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/interop.md from this run, which has to be a whole one")

// document is what a run with -update writes, in the folder of the main module.
var document = filepath.Join("docs", "interop.md")

// report is what a run has seen.
type report struct {
	mu       sync.Mutex
	versions map[string]string // of brokers and platforms
	outcomes map[cell]outcome
}

type cell struct {
	column   column
	scenario string
}

func newReport() *report { return &report{versions: map[string]string{}, outcomes: map[cell]outcome{}} }

func (r *report) version(name, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.versions[name] = version
}

func (r *report) note(c column, scenario string, o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[cell{c, scenario}] = o
}

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
	for _, name := range []string{localCloud, mosquitto, nats, aedes, rabbitMQ, "our client", onChromium} {
		fmt.Fprintf(&b, "| %s | %s |\n", name, r.versions[name])
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
	if *update {
		return // this run writes it
	}
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	want := tables(func(c column, scenario string) outcome {
		o, _ := expected(c, scenario)
		return o
	})
	assert.True(t, strings.HasSuffix(string(text), want), "%s is not that of the expectations in the code: run `make interop`", document)
}
