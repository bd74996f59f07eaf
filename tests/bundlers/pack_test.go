package bundlers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/nodejs"
)

// tarball is what npm pack has made.
type tarball struct {
	path         string
	Filename     string
	Size         int // bytes, compressed
	UnpackedSize int
	Files        []struct {
		Path string
		Size int
	}
}

var packed struct {
	once sync.Once
	tarball
	err string
}

// pack makes the tarball, once for all tests.
func pack(t *testing.T) *tarball {
	t.Helper()
	packed.once.Do(func() {
		folder, err := os.MkdirTemp("", "kiiweb-pack-")
		require.NoError(t, err)
		packed.err = "npm pack has failed"
		out := run(t, filepath.Join(cloud.Root(), "js"), "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder)
		var list []tarball
		if json.Unmarshal([]byte(out), &list) != nil { // npm 12 answers with an object
			var byName map[string]tarball
			require.NoError(t, json.Unmarshal([]byte(out), &byName), out)
			for _, one := range byName {
				list = append(list, one)
			}
		}
		require.Len(t, list, 1)
		packed.tarball = list[0]
		packed.path = filepath.Join(folder, list[0].Filename)
		packed.err = ""
	})
	require.Empty(t, packed.err)
	return &packed.tarball
}

// removeTarball is for the end of TestMain.
func removeTarball() {
	if packed.path != "" {
		_ = os.RemoveAll(filepath.Dir(packed.path))
	}
}

// project is a folder with nothing but a package.json and kiiweb in node_modules. The folder
// above has the bundlers, as a user would have them as development dependencies.
func project(t *testing.T) string {
	t.Helper()
	tar := pack(t)
	above := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(cloud.Root(), "tests", "bundlers", "node_modules"), filepath.Join(above, "node_modules")))
	dir := filepath.Join(above, "project")
	write(t, filepath.Join(dir, "package.json"), `{ "name": "project", "private": true, "type": "module" }`)
	run(t, dir, "npm", "install", "--offline", "--no-audit", "--no-fund", tar.path)
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// run runs a command in dir, with the bundlers in its path, and gives its standard output.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	return at(dir).Run(t, name, args...)
}

func at(dir string) nodejs.Place {
	return nodejs.Place{Dir: dir, Packages: filepath.Join(cloud.Root(), "tests", "bundlers")}
}

// TestWhatThePackageHolds: all that its package.json promises, and nothing of the sources.
func TestWhatThePackageHolds(t *testing.T) {
	tar := pack(t)
	t.Logf("%s: %d bytes, unpacked %d", tar.Filename, tar.Size, tar.UnpackedSize)
	there := map[string]bool{}
	for _, f := range tar.Files {
		there[f.Path] = true
		t.Logf("%9d %s", f.Size, f.Path)
		folder, _, _ := strings.Cut(f.Path, "/")
		assert.Contains(t, []string{"dist", "package.json", "README.md", "LICENSE", "NOTICE"}, folder, f.Path)
		assert.NotContains(t, []string{".br", ".gz", ".ts.map"}, filepath.Ext(f.Path), f.Path)
	}
	for _, name := range []string{"README.md", "LICENSE", "NOTICE", "dist/NOTICE", "dist/build-info.json", "dist/mainhost.mjs"} {
		assert.True(t, there[name], "%s is missing", name)
	}

	var manifest struct {
		Main, Types, Unpkg, Jsdelivr string
		SideEffects                  []string
		Exports                      map[string]any
	}
	raw, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "package.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &manifest))
	promised := append([]string{manifest.Main, manifest.Types, manifest.Unpkg, manifest.Jsdelivr}, manifest.SideEffects...)
	for _, target := range manifest.Exports {
		promised = append(promised, targets(target)...)
	}
	for _, path := range promised {
		assert.True(t, there[strings.TrimPrefix(path, "./")], "package.json names %s", path)
	}
	for _, name := range []string{".", "./worker", "./service-worker", "./kiiweb.wasm", "./kiiweb.js"} {
		assert.Contains(t, manifest.Exports, name)
	}

	ours, err := os.ReadFile(filepath.Join(cloud.Root(), "LICENSE"))
	require.NoError(t, err)
	theirs, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "LICENSE"))
	require.NoError(t, err)
	assert.Equal(t, string(ours), string(theirs), "js/LICENSE is a copy")
}

// targets are the files behind one entry of exports.
func targets(entry any) []string {
	switch entry := entry.(type) {
	case string:
		return []string{entry}
	case map[string]any:
		var all []string
		for _, e := range entry {
			all = append(all, targets(e)...)
		}
		return all
	}
	return nil
}
