package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

const (
	workerFile   = "worker.js"    // runs the module in a worker
	mainHostFile = "mainhost.mjs" // runs it in the page; the loader imports it where no worker starts
	moduleFile   = "kiiweb.mjs"   // the loader, which compat.mjs imports
	scriptFile   = "kiiweb.js"    // the same for a script tag
	tabsFile     = "tabs.mjs"     // shares connections between tabs; the loader imports it beside a login
	pushFile     = "push.mjs"     // keeps push alive over logins; the loader imports it for startPush
	debugFile    = "debug.mjs"    // makes the debug log; the loader imports it for the option debug
)

// loader is one form in which the loader is shipped, or a part of it.
type loader struct {
	file   string // in js/dist
	entry  string // in js/src
	format string // as esbuild calls it
}

var loaders = []loader{
	{moduleFile, "esm.ts", "esm"},
	{scriptFile, "script.ts", "iife"},
	{workerFile, "worker.ts", "iife"},
	{mainHostFile, "mainentry.ts", "esm"},
	{tabsFile, "tabs/entry.ts", "esm"},
	{pushFile, "pushentry.ts", "esm"},
	{debugFile, "debug/entry.ts", "esm"},
	{"serviceworker.mjs", "serviceworker.ts", "esm"},
	{"serviceworker.js", "serviceworkerscript.ts", "iife"},
	{"compat.mjs", "compat/esm.ts", "esm"},
	{"compat.js", "compat/script.ts", "iife"},
	{"notify.mjs", "notify/entry.ts", "esm"},
	{"notify.js", "notify/script.ts", "iife"},
}

// allAtOnce gives the first line of a file of which next to all functions are called before a client is connected: V8 then compiles
// them while the file arrives, beside the page, and not one by one as they are called.
// https://v8.dev/blog/explicit-compile-hints
func (l loader) allAtOnce() string {
	switch l.file {
	case moduleFile, scriptFile, workerFile, mainHostFile:
		return "//# allFunctionsCalledOnLoad\n"
	}
	return ""
}

// contains is for the banner: what is in the file that others wrote.
func (l loader) contains() string {
	switch l.entry {
	case "esm.ts", "script.ts", "tabs/entry.ts", "pushentry.ts", "debug/entry.ts", "compat/esm.ts", "compat/script.ts", "notify/entry.ts", "notify/script.ts":
		return ""
	}
	return "; contains wasm_exec.js, Copyright 2018 The Go Authors (BSD-3-Clause)"
}

// bundleLoaders bundles the TypeScript sources with the wasm_exec.js that belongs to the module, and gives the name of their build.
func bundleLoaders(p *project, s *state, wasm *module) (string, error) {
	sources, err := readTree(p.at("js", "src"))
	if err != nil {
		return "", err
	}
	glue, err := os.ReadFile(p.at("wasm_exec.js"))
	if err != nil {
		return "", err
	}
	modules, err := os.ReadFile(p.at("go.sum")) // names esbuild's version
	if err != nil {
		return "", err
	}
	id := filesID(append(sources, glue, modules, []byte(p.version), []byte(wasm.build))...)
	for _, l := range loaders {
		args := esbuildArgs(p, l, wasm, id)
		from := hashOf(append(sources, glue, modules, []byte(join(args)))...)
		file := p.dist(l.file)
		if s.fresh(from, file, file+".map") {
			continue
		}
		if _, err := p.run(nil, "go", args...); err != nil {
			return "", err
		}
		if err := s.wrote(from, file, file+".map"); err != nil {
			return "", err
		}
	}
	return id, nil
}

// filesID names a build by all that its files are made of, the module among it: what files say to each other changes
// with the sources, and mostly without the module.
func filesID(parts ...[]byte) string { return hashOf(parts...)[:10] }

// esbuildArgs gives the arguments of the go command. id is the build's. All paths are relative to the
// project's root, so that the bundles and their source maps are the same everywhere.
func esbuildArgs(p *project, l loader, wasm *module, id string) []string {
	return []string{
		"tool", "esbuild", "js/src/" + l.entry,
		"--bundle", "--minify", "--sourcemap", "--target=es2022", "--charset=utf8", "--log-level=warning",
		"--format=" + l.format,
		"--outfile=js/dist/" + l.file,
		"--external:*/" + mainHostFile, "--external:*/" + tabsFile, "--external:*/" + pushFile, "--external:*/" + debugFile, "--external:*/" + moduleFile,
		"--define:KIIWEB_VERSION=" + strconv.Quote(p.version),
		"--define:KIIWEB_BUILD=" + strconv.Quote(id),
		"--define:KIIWEB_MODULE=" + strconv.Quote(wasm.build),
		// wasm_exec.js means its own fs, whatever a page may have declared by that name.
		"--define:fs=globalThis.fs",
		// It finds the loader's own (js/src/program.ts), so what it has for where there are none is left out.
		"--define:globalThis.fs=true", "--define:globalThis.process=true", "--define:globalThis.path=true",
		"--log-override:assign-to-define=silent",
		"--banner:js=" + l.allAtOnce() + "/*! kiiweb " + p.version + " (MIT)" + l.contains() + " */",
	}
}

// readTree gives the names and contents of all files below dir, in lexical order.
func readTree(dir string) ([][]byte, error) {
	var parts [][]byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		parts = append(parts, []byte(d.Name()), data)
		return err
	})
	return parts, err
}

func join(args []string) string {
	var b []byte
	for _, a := range args {
		b = strconv.AppendQuote(b, a)
	}
	return string(b)
}
