package deptest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	inTicks  = regexp.MustCompile("`([^`]+)`")
	fileName = regexp.MustCompile(`^[\w./-]+\.(go|ts|js|mjs|sh|conf)$`)
)

// architecture reads docs/architecture.md: the whole of it, and the rows of its table of the tree.
func architecture(t *testing.T) (text string, rows [][]string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	require.NoError(t, err)
	text = codeBlock.ReplaceAllString(string(raw), "")
	_, table, found := strings.Cut(text, "| where | what | may use |\n|---|---|---|\n")
	require.True(t, found, "docs/architecture.md has its table of the tree")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		require.Len(t, cells, 3, line)
		rows = append(rows, cells)
	}
	require.Greater(t, len(rows), 30)
	return text, rows
}

// named are the texts in backticks, folders without a slash at the end.
func named(text string) (names []string) {
	for _, m := range inTicks.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.TrimSuffix(m[1], "/"))
	}
	return names
}

// tree lists all files of the project, and the folders in which they are; what was installed, built or is
// data of a test is left out.
func tree(t *testing.T) (folders map[string]bool, files []string) {
	t.Helper()
	folders = map[string]bool{}
	err := filepath.WalkDir(root, func(full string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "node_modules" || name == "testdata" || name == "dist" || strings.HasPrefix(name, ".") && name != ".." {
				return filepath.SkipDir
			}
			return nil
		}
		inside, err := filepath.Rel(root, full)
		inside = filepath.ToSlash(inside)
		files = append(files, inside)
		folders[path.Dir(inside)] = true
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(files), 500, "the walk finds the project")
	return folders, files
}

// TestTheTreeIsAsItIsTold: each folder of the table in docs/architecture.md is there, and each package, and each
// folder of the first two levels, is named in that document.
func TestTheTreeIsAsItIsTold(t *testing.T) {
	text, rows := architecture(t)
	folders, files := tree(t)
	for _, row := range rows {
		where := named(row[0])
		assert.NotEmpty(t, where, row[0])
		for _, folder := range where {
			assert.True(t, folders[folder], "docs/architecture.md tells of %s, which is not there", folder)
		}
	}
	packages := map[string]bool{}
	for _, file := range files {
		if path.Ext(file) == ".go" {
			packages[path.Dir(file)] = true
		}
	}
	told := named(text)
	for folder := range folders {
		above, name, _ := strings.Cut(folder, "/")
		ours := slices.ContainsFunc(told, func(other string) bool { return other == above || strings.HasPrefix(other, above+"/") }) // and no page that somebody tries
		if packages[folder] || ours && name != "" && !strings.Contains(name, "/") {
			assert.True(t, slices.Contains(told, folder), "docs/architecture.md does not tell of %s", folder)
		}
	}
}

// TestFilesThatAreToldOfAreThere: what the architecture calls by a file's name has that name, or is built under it.
func TestFilesThatAreToldOfAreThere(t *testing.T) {
	text, _ := architecture(t)
	_, files := tree(t)
	builder, err := os.ReadFile(filepath.Join(root, "internal", "build", "bundle.go"))
	require.NoError(t, err)
	seen := 0
	for _, name := range named(text) {
		if !fileName.MatchString(name) {
			continue
		}
		seen++
		there := slices.ContainsFunc(files, func(file string) bool { return file == name || strings.HasSuffix(file, "/"+name) })
		assert.True(t, there || strings.Contains(string(builder), `"`+name+`"`), "docs/architecture.md tells of %s", name)
	}
	assert.Greater(t, seen, 50)
}

// TestTheTableOfDependenciesIsAsItIsTold: what a package may use says the same in docs/architecture.md as above in
// this package. The end of a path stands for the path there.
func TestTheTableOfDependenciesIsAsItIsTold(t *testing.T) {
	_, rows := architecture(t)
	told := map[string][]string{}
	for _, row := range rows {
		for _, folder := range named(row[0]) {
			told[folder] = named(row[2])
		}
	}
	for row, targets := range allowed {
		if strings.HasSuffix(row, "/...") {
			continue
		}
		names, found := told[row]
		if !assert.True(t, found, "docs/architecture.md has no row for %s", row) {
			continue
		}
		left := slices.Clone(targets)
		for _, name := range names {
			i := slices.IndexFunc(left, func(target string) bool { return target == name || strings.HasSuffix(target, "/"+name) })
			if assert.GreaterOrEqual(t, i, 0, "docs/architecture.md lets %s use %s", row, name) {
				left = slices.Delete(left, i, i+1)
			}
		}
		assert.Empty(t, left, "docs/architecture.md does not say that %s may use these", row)
	}
}
