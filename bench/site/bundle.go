// Package site makes and serves the pages of the benchmarks: one per client, each with
// the client bundled, minified and compressed as an application would ship it.
package site

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
)

// file is one file in the two forms in which it is sent.
type file struct {
	kind   string // its content type
	plain  []byte
	brotli []byte // nil where it is not worth it
}

var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".wasm": "application/wasm",
}

// Entries gives the names of the pages in a folder: a file of JavaScript each, but for
// those that begin with an underscore, which others import.
func Entries(folder string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.js"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range paths {
		if name := strings.TrimSuffix(filepath.Base(p), ".js"); !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	return names, nil
}

// bundle makes the script of each page with esbuild, the one that go.mod names.
func bundle(root string) (map[string]file, error) {
	folder := filepath.Join(root, "bench", "page")
	names, err := Entries(folder)
	if err != nil {
		return nil, err
	}
	out, err := os.MkdirTemp("", "kiiweb-bench-pages-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(out) }()
	args := []string{"tool", "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022", "--platform=browser",
		"--log-level=warning", "--define:global=globalThis", "--external:../kiiweb/*", "--outdir=" + out}
	for _, name := range names {
		args = append(args, "./bench/page/"+name+".js") // seen from the root, where the command runs
	}
	command := exec.Command("go", args...)
	command.Dir = root
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("bundling the pages: %w\n%s\nIs bench/node_modules there? `make deps` installs it", err, said)
	}
	files := make(map[string]file)
	for _, name := range names {
		script, err := os.ReadFile(filepath.Join(out, name+".js"))
		if err != nil {
			return nil, err
		}
		files[name+"/page.js"] = compressed("page.js", script)
	}
	return files, nil
}

// page is the document that loads a page's script and nothing else.
var page = []byte("<!doctype html>\n<link rel=\"icon\" href=\"data:,\">\n<title>bench</title>\n<script type=\"module\" src=\"page.js\"></script>\n")

// library reads the built kiiweb into folder; it is served as `make build` compresses it.
func library(dist, folder string) (map[string]file, error) {
	names, err := filepath.Glob(filepath.Join(dist, "*.br"))
	if err != nil {
		return nil, err
	}
	files := make(map[string]file)
	for _, compressedPath := range names {
		plainPath := strings.TrimSuffix(compressedPath, ".br")
		f := file{kind: kinds[path.Ext(plainPath)]}
		if f.plain, err = os.ReadFile(plainPath); err != nil {
			return nil, err
		}
		if f.brotli, err = os.ReadFile(compressedPath); err != nil {
			return nil, err
		}
		files[folder+"/"+filepath.Base(plainPath)] = f
	}
	if _, found := files[folder+"/kiiweb.wasm"]; !found {
		return nil, fmt.Errorf("%s does not hold the built library: run `make build`", dist)
	}
	return files, nil
}

func compressed(name string, plain []byte) file {
	var b bytes.Buffer
	w := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: 11, LGWin: 24})
	_, _ = w.Write(plain) // a buffer takes everything
	_ = w.Close()
	return file{kind: kinds[path.Ext(name)], plain: plain, brotli: b.Bytes()}
}
