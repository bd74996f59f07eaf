package compat

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

var update = flag.Bool("update", false, "write docs/compat.md anew")

const introduction = `# kiiweb/compat beside Kii's SDK

Written by ` + "`make docs`" + `, from what a test saw: it runs one script with ` + "`kii-cloud-sdk`" + ` 2.4.19 and with ` + "`kiiweb/compat`" + ` in Chromium, each
against a local cloud of its own behind a relay that writes down the requests, and compares for each call what the Promise gave or was rejected
with, what the callbacks got in which order, the text of the error and the object that it names, and what was sent: method, path, body, media
type, app and token. A call that differs in another way than the one named fails the test, and so does one that has ceased to differ.

`

const always = `
## In every call

- The token's scheme is ` + "`Bearer`" + `; Kii's SDK writes it ` + "`bearer`" + ` in most calls. Servers must not mind (RFC 9110, 11.1).
- ` + "`X-Kii-SDK`" + ` names kiiweb.
- No ` + "`disable_cache`" + ` in the URL: the request says ` + "`no-store`" + `.
- No ` + "`Content-Type`" + ` where there is no body.
- One slash in the paths of buckets, where Kii's SDK sends two.
- A callback that is missing, or that throws, leaves the Promise as it is; with Kii's SDK it does not settle then.
- ` + "`getCurrentUser()`" + ` gives the same object each time, and not a copy.
- Methods that reject an argument by throwing throw an ` + "`Error`" + `; with Kii's SDK it is an object with a ` + "`message`" + `.
`

// document is docs/compat.md for what has been seen.
func document(rows []row) string {
	count := map[string]int{}
	for _, r := range rows {
		count[r.Deviation]++
	}
	var b strings.Builder
	b.WriteString(introduction)
	fmt.Fprintf(&b, "%d calls, in the callback style and in the Promise style: %d the same, %d deviate on purpose.\n\n", len(rows), count[""], len(rows)-count[""])
	b.WriteString("## Deviations\n\n| deviation | calls | |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(deviations)) {
		fmt.Fprintf(&b, "| %s | %d | %s |\n", name, count[name], deviations[name].why)
	}
	b.WriteString(always + "\n## Calls\n\nEach was made in both styles.\n\n| call | results | requests | deviation |\n|---|---|---|---|\n")
	for _, r := range rows {
		if r.style == "callback" {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", strings.ReplaceAll(r.Name, "|", "\\|"), r.results, r.requests, r.Deviation)
		}
	}
	return b.String()
}

// checkDocument holds docs/compat.md to what has been seen, or writes it.
func checkDocument(t *testing.T, rows []row) {
	t.Helper()
	path := filepath.Join(cloud.Root(), "docs", "compat.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(document(rows)), 0o644))
		return
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, document(rows), string(written), "docs/compat.md is not what was seen: run make docs")
}
