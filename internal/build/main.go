// Command build writes js/dist, all that a web page needs: the WebAssembly module, the
// loader as an ES module and as a script, the worker's script, the types, the toolchain's
// wasm_exec.js, and precompressed copies of what a server sends. It needs Go alone.
//
//	go run ./internal/build         # build; what is fresh is left alone
//	go run ./internal/build -size   # build, print the sizes, fail when over the budget
//	go run ./internal/build -weigh  # build, and write docs/size.md: what weighs what in the module
//	go run ./internal/build -names FILE   # build the module alone, with its functions' names, for profiles
//	go run ./internal/build -repack FILE  # repack a module that go build has made, as the shipped one is
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	size := flag.Bool("size", false, "print the sizes and fail when one is over its budget")
	weigh := flag.Bool("weigh", false, "write docs/size.md: what weighs what in the module")
	names := flag.String("names", "", "build the module with the names of its functions into this `file`, and nothing else")
	repacked := flag.String("repack", "", "repack the module in this `file` as the shipped one is, and nothing else")
	flag.Parse()
	if err := run(*size, *weigh, *names, *repacked); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(size, weigh bool, names, repacked string) error {
	p, err := findProject()
	if err != nil {
		return err
	}
	switch {
	case names != "":
		return compileWasm(p, names)
	case repacked != "":
		return repackFile(repacked, p.goName)
	}
	state := loadState(p.dist("."))
	if err := buildAll(p, state); err != nil {
		return err
	}
	if weigh {
		if err := writeWeights(p); err != nil {
			return err
		}
	}
	if size {
		return reportSizes(os.Stdout, p.dist("."))
	}
	return nil
}

// buildAll makes every file in the order in which they need each other.
func buildAll(p *project, state *state) error {
	if err := os.MkdirAll(p.dist("."), 0o755); err != nil {
		return err
	}
	wasm, err := buildWasm(p)
	if err != nil {
		return err
	}
	files, err := bundleLoaders(p, state, wasm)
	if err != nil {
		return err
	}
	if err := copyFiles(p); err != nil {
		return err
	}
	if err := compressAll(p, state); err != nil {
		return err
	}
	return writeInfo(p, wasm, files)
}
