package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

func TestTheVersionIsTheSameEverywhere(t *testing.T) {
	version, err := packageVersion(filepath.Join("..", "..", "js", "package.json"))
	require.NoError(t, err)
	assert.Equal(t, kiiweb.Version, version)
}

func TestTheLockFileNamesNoHost(t *testing.T) {
	lock, err := os.ReadFile(filepath.Join("..", "..", "js", "package-lock.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(lock), `"resolved"`)
	assert.NotContains(t, string(lock), "://")
}

// How wasm_exec.js is bundled depends on the nearest package.json, which must be the project's: with one of
// type module above the checkout the files grew, and were over their budgets.
func TestNothingAboveTheProjectSaysHowGlueIsRead(t *testing.T) {
	p, err := findProject()
	require.NoError(t, err)
	nearest, err := os.ReadFile(p.at("package.json"))
	require.NoError(t, err)
	assert.Contains(t, string(nearest), `"type": "commonjs"`)
}

func TestTheToolchainIsPicked(t *testing.T) {
	p, err := findProject()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(p.goName, "go1."), p.goName)
	assert.FileExists(t, p.at("go.mod"))
}

func TestPackageVersion(t *testing.T) {
	cases := []struct{ name, content, want, err string }{
		{"a version", `{"version": "1.2.3"}`, "1.2.3", ""},
		{"no version", `{}`, "", "no version"},
		{"no JSON", `{`, "", "unexpected end"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "package.json")
			require.NoError(t, os.WriteFile(path, []byte(c.content), 0o644))
			version, err := packageVersion(path)
			assert.Equal(t, c.want, version)
			if c.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.err)
			}
		})
	}
}

func TestContentID(t *testing.T) {
	assert.Equal(t, "d", contentID("a/b/c/d\n"))
	assert.Equal(t, "d", contentID("d"))
	assert.Equal(t, "d012345678", contentID("a/b/c/d0123456789\n"))
}

// TestFilesOfOtherSourcesAreOfAnotherBuild: a browser may have worker.js of the build before, whose module is the same. It is
// told from this one's, as a module of other sources is.
func TestFilesOfOtherSourcesAreOfAnotherBuild(t *testing.T) {
	p := &project{version: "1.0.0"}
	args := func(source, built string) string {
		wasm := &module{build: built}
		return join(esbuildArgs(p, loaders[0], wasm, filesID([]byte("worker.ts"), []byte(source), []byte(wasm.build))))
	}
	assert.Equal(t, args("one", "module"), args("one", "module"))
	assert.NotEqual(t, args("one", "module"), args("another", "module"))
	assert.NotEqual(t, args("one", "module"), args("one", "other"))
}

// The hint counts as the first line alone, so nothing may come before it, the licence's comment neither.
func TestFilesThatAClientStartsWithBeginWithTheHint(t *testing.T) {
	hinted := make(map[string]bool)
	for _, l := range loaders {
		for _, arg := range esbuildArgs(&project{}, l, &module{}, "") {
			if banner, ok := strings.CutPrefix(arg, "--banner:js="); ok {
				hinted[l.file] = strings.HasPrefix(banner, "//# allFunctionsCalledOnLoad\n/*!")
			}
		}
	}
	for file, hint := range hinted {
		wanted := []string{"kiiweb.mjs", "kiiweb.js", "worker.js", "mainhost.mjs"}
		assert.Equal(t, slices.Contains(wanted, file), hint, file)
	}
	assert.Len(t, hinted, len(loaders))
}

func TestWhatIsFreshIsLeftAlone(t *testing.T) {
	dist := t.TempDir()
	file := filepath.Join(dist, "a")
	other := filepath.Join(dist, "b")
	write := func(path, content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o644)) }
	write(file, "A")
	write(other, "B")
	s := loadState(dist)
	assert.False(t, s.fresh("inputs", file), "never made")
	require.NoError(t, s.wrote("inputs", file, other))

	s = loadState(dist) // as the next run does
	assert.True(t, s.fresh("inputs", file, other))
	assert.False(t, s.fresh("other inputs", file))
	write(file, "A, edited")
	assert.False(t, s.fresh("inputs", file), "changed by hand")
	assert.True(t, s.fresh("inputs", other))
	require.NoError(t, os.Remove(other))
	assert.False(t, s.fresh("inputs", other), "removed")

	write(filepath.Join(dist, stateFile), "{ broken")
	write(file, "A")
	assert.False(t, loadState(dist).fresh("inputs", file), "without a memory nothing is fresh")
}

func TestPutWritesOnlyChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	wrote, err := put(path, []byte("one"))
	require.NoError(t, err)
	assert.True(t, wrote)
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(path, past, past))

	wrote, err = put(path, []byte("one"))
	require.NoError(t, err)
	assert.False(t, wrote)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.WithinDuration(t, past, info.ModTime(), time.Second, "not touched")

	wrote, err = put(path, []byte("two"))
	require.NoError(t, err)
	assert.True(t, wrote)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing temporary is left")
}

func TestHashTellsPartsApart(t *testing.T) {
	assert.NotEqual(t, hashOf([]byte("ab"), []byte("c")), hashOf([]byte("a"), []byte("bc")))
	assert.Equal(t, hashOf([]byte("a")), hashOf([]byte("a")))
}

func TestCompressionsCanBeRead(t *testing.T) {
	data := bytes.Repeat([]byte("the same again and again; "), 1000)
	readers := map[string]func(io.Reader) (io.Reader, error){
		".br": func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		".gz": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	}
	for _, c := range compressions {
		t.Run(c.suffix, func(t *testing.T) {
			small, err := c.bytes(data)
			require.NoError(t, err)
			assert.Less(t, len(small), len(data)/20)
			r, err := readers[c.suffix](bytes.NewReader(small))
			require.NoError(t, err)
			back, err := io.ReadAll(r)
			require.NoError(t, err)
			assert.Equal(t, data, back)
		})
	}
}

func TestOverBudgetIsAnErrorThatNamesTheFile(t *testing.T) {
	dist := t.TempDir()
	for _, b := range budgets {
		for _, suffix := range []string{"", ".gz", ".br"} {
			f, err := os.Create(filepath.Join(dist, b.file+suffix))
			require.NoError(t, err)
			require.NoError(t, f.Truncate(b.limit))
			require.NoError(t, f.Close())
		}
	}
	var out strings.Builder
	require.NoError(t, reportSizes(&out, dist), "at the limit is within it")
	assert.Contains(t, out.String(), wasmFile)

	require.NoError(t, os.Truncate(filepath.Join(dist, "kiiweb.mjs.br"), budgets[1].limit+7))
	assert.EqualError(t, reportSizes(io.Discard, dist), "kiiweb.mjs is 7 bytes over its budget")
	require.NoError(t, os.Remove(filepath.Join(dist, wasmFile+".gz")))
	assert.ErrorIs(t, reportSizes(io.Discard, dist), os.ErrNotExist)
}

func TestTheSmallerOfTwoWaysIsWhole(t *testing.T) {
	source, err := os.ReadFile("compress.go")
	require.NoError(t, err)
	for _, data := range [][]byte{{}, source[:1], source[:lastBytes], source[:lastBytes+1], source, bytes.Repeat([]byte("a"), twoWays+1)} {
		small, err := compressions[0].bytes(data)
		require.NoError(t, err)
		one, err := compressions[0].inBlocks(data)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(small), len(one))
		back, err := io.ReadAll(brotli.NewReader(bytes.NewReader(small)))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(data, back))
	}
}
