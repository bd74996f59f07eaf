package rest

import (
	stdflag "flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

var update = stdflag.Bool("update", false, "write the tables of docs/protocol.md anew")

const (
	protocolDocument = "../../../docs/protocol.md"
	tablesBegin      = "<!-- tables: written by make docs -->\n"
	tablesEnd        = "<!-- end of tables -->\n"
)

// The tables of docs/protocol.md are what Routes and the access table say.
func TestProtocolDocument(t *testing.T) {
	text, err := os.ReadFile(protocolDocument)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(text), tablesBegin)
	require.True(t, ok, "the mark of the tables is missing")
	_, tail, ok := strings.Cut(rest, tablesEnd)
	require.True(t, ok, "the mark of the tables' end is missing")
	want := head + tablesBegin + "\n" + callsTable() + "\n" + accessDocument() + "\n" + tablesEnd + tail
	if *update {
		require.NoError(t, os.WriteFile(protocolDocument, []byte(want), 0o644))
		return
	}
	assert.True(t, want == string(text), "docs/protocol.md is not up to date: run make docs")
}

var failureCode = regexp.MustCompile(`(?:fail|notFound|forbidden|objectFailure|unsupported)\((?:http\.\w+, )?"(\w+)"`)

// Every code that a failure may have is in the document's first table.
func TestProtocolDocumentNamesEveryCode(t *testing.T) {
	text, err := os.ReadFile(protocolDocument)
	require.NoError(t, err)
	head, _, _ := strings.Cut(string(text), tablesBegin)
	documented := map[string]bool{}
	for line := range strings.SplitSeq(head, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, code := range backquoted.FindAllStringSubmatch(cells[2]+cells[3], -1) {
			documented[code[1]] = true
			for _, suffix := range []string{"NOT_FOUND", "ALREADY_EXISTS"} {
				if strings.HasSuffix(code[1], "_") && strings.Contains(cells[2], "…_"+suffix) {
					documented[code[1]+suffix] = true
				}
			}
		}
	}
	assert.Equal(t, store.Limits{Topics: 1000, Subscriptions: 1000, Objects: 10_000}, store.DefaultLimits, "as the document has it")
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range failureCode.FindAllStringSubmatch(string(source), -1) {
			assert.True(t, documented[found[1]], "docs/protocol.md does not say what %s means, which %s answers", found[1], file)
		}
	}
}

var backquoted = regexp.MustCompile("`([^`]+)`")

func callsTable() string {
	var b strings.Builder
	b.WriteString("### Calls\n\n| call | success | what it does |\n|---|---|---|\n")
	for _, r := range Routes() {
		success := strconv.Itoa(r.Status)
		if r.Produces != "" {
			success += " `" + shortType(r.Produces) + "`"
		}
		b.WriteString("| `" + routeName(r) + "` | " + success + " | " + r.Summary + " |\n")
	}
	return b.String()
}

func shortType(t string) string {
	t = strings.TrimPrefix(t, "application/")
	if t == "json" {
		return t
	}
	return strings.TrimSuffix(t, "+json")
}

// accessDocument is the access table as people read it.
func accessDocument() string {
	var b strings.Builder
	b.WriteString("### Who gets what\n\n| call | " + strings.Join(accessCallers, " | ") + " |\n|---" + strings.Repeat("|---", len(accessCallers)) + "|\n")
	byRoute := map[string]access{}
	for _, row := range accessTable() {
		byRoute[row.route] = row
	}
	for _, r := range Routes() {
		b.WriteString("| `" + routeName(r) + "` |")
		for _, word := range strings.Fields(byRoute[routeName(r)].want) {
			b.WriteString(" " + spelledOut(word, r) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func spelledOut(word string, r Route) string {
	switch word {
	case "ok":
		return strconv.Itoa(r.Status)
	case "401":
		return "401 UNAUTHORIZED"
	case "403":
		return "403 WRONG_TOKEN"
	}
	status, code, _ := strings.Cut(word, ":")
	return strings.TrimSpace(status + " " + code)
}
