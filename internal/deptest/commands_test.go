package deptest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	makeCommand = regexp.MustCompile("(?m)(?:`|^)make ([a-z-]+)")
	makeTarget  = regexp.MustCompile(`(?m)^([a-z-]+):`)
	testCommand = regexp.MustCompile(`go test [^\n]*?-run '?(\w+)[^\n]*? \./([\w/]+)`)
)

// TestCommandsThatAreToldOfAreThere: each make of the documents is a verb of the Makefile, and each test that a document or
// the Makefile runs by its name is in the folder where it is looked for: go test would say ok where it finds none.
func TestCommandsThatAreToldOfAreThere(t *testing.T) {
	makefile := documents(t, "Makefile")["Makefile"]
	verbs := map[string]bool{}
	for _, m := range makeTarget.FindAllStringSubmatch(makefile, -1) {
		verbs[m[1]] = true
	}
	require.True(t, verbs["test"])
	texts := documents(t, "README.md", "js/README.md", "js/examples/README.md", "CHANGELOG.md", "docs/*.md")
	made := 0
	for name, text := range texts {
		for _, m := range makeCommand.FindAllStringSubmatch(text, -1) {
			assert.True(t, verbs[m[1]], "%s: make %s", name, m[1])
			made++
		}
	}
	assert.Greater(t, made, 20)
	texts["Makefile"] = makefile
	ran := 0
	for name, text := range texts {
		for _, m := range testCommand.FindAllStringSubmatch(text, -1) {
			files, err := filepath.Glob(filepath.Join(root, m[2], "*_test.go"))
			require.NoError(t, err)
			var all strings.Builder
			for _, file := range files {
				raw, err := os.ReadFile(file)
				require.NoError(t, err)
				all.Write(raw)
			}
			assert.Regexp(t, `(?m)^func Test\w*`+strings.TrimPrefix(m[1], "Test")+`\w*\(t`, all.String(), "%s: %s in %s", name, m[1], m[2])
			ran++
		}
	}
	assert.Greater(t, ran, 5)
}

// documents reads files by patterns inside the project.
func documents(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			name, err := filepath.Rel(root, file)
			require.NoError(t, err)
			texts[filepath.ToSlash(name)] = string(raw)
		}
	}
	return texts
}
