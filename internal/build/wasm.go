package main

import (
	"fmt"
	"os"
	"strings"
)

// wasmFile is the name of the WebAssembly module.
const wasmFile = "kiiweb.wasm"

// module is the built WebAssembly module.
type module struct {
	sha256 string
	// build is the beginning of the last part of Go's build id, a hash of the module's content. That stands
	// in the module's section "go:buildid", where the loader compares it with its own.
	build string
}

// buildWasm compiles ./wasm. The compiler's output stays in .cache, where the go command
// recognises it as up to date; js/dist gets it repacked.
func buildWasm(p *project) (*module, error) {
	compiled := p.at(".cache", wasmFile)
	if err := compileWasm(p, compiled, "-ldflags", "-s -w"); err != nil {
		return nil, err
	}
	id, err := p.run(nil, "go", "tool", "buildid", compiled)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(compiled)
	if err != nil {
		return nil, err
	}
	if data, err = repack(data, p.goName); err != nil {
		return nil, err
	}
	if !knowsFunctionTables(p.goName) {
		fmt.Printf("%s keeps what %s has for printing stacks, a sixth of its download: internal/build/functions.go knows Go 1.26 alone\n", wasmFile, p.goName)
	}
	wrote, err := put(p.dist(wasmFile), data)
	if err != nil {
		return nil, err
	}
	if wrote {
		announce(p.dist(wasmFile))
	}
	hash, err := hashFile(p.dist(wasmFile))
	return &module{sha256: hash, build: contentID(string(id))}, err
}

// experiments leaves out Go's newer garbage collector where the toolchain lets us: it is
// made for many cores and large heaps, a page has neither, and it costs 21,000 bytes of
// download. Toolchains that know no other collector refuse the name.
func (p *project) experiments() string {
	const without = "nogreenteagc"
	if _, err := p.run([]string{"GOEXPERIMENT=" + without}, "go", "env", "GOEXPERIMENT"); err != nil {
		return ""
	}
	return without
}

// compileWasm compiles ./wasm to the file out as it is shipped, with the further arguments of go build.
func compileWasm(p *project, out string, args ...string) error {
	target := []string{"GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=" + p.experiments()}
	// -buildvcs=false: the same sources give the same bytes, whatever the commit is called.
	all := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out}, args...)
	for _, name := range outOfLine {
		all = append(all, "-gcflags="+name+"=-l")
	}
	_, err := p.run(target, "go", append(all, "./wasm")...)
	return err
}

// outOfLine lists packages whose calls are not inlined, because that makes the download
// 33,000 bytes smaller. Ours run once per call or per frame, or do little of what a message
// takes (internal/session: as many instructions either way), and so do the library's. Atomic
// operations are plain loads and stores in a page: as calls they cost the collector 7 percent,
// and allocating or switching goroutines nothing that can be measured. The runtime itself
// (30,000 bytes, but a collector at a third of its speed), sync, and internal/mqtt, which
// reads every byte, are left to the compiler.
var outOfLine = []string{
	"github.com/kiiweb/kiiweb/wasm",
	"github.com/kiiweb/kiiweb/pkg/kiiweb",
	"github.com/kiiweb/kiiweb/internal/session",
	"github.com/kiiweb/kiiweb/internal/jsx",
	"github.com/kiiweb/kiiweb/internal/transport",
	"internal/runtime/atomic",
	"internal/bisect", "internal/godebug", "internal/strconv", "internal/sync",
	"context", "syscall", "syscall/js", "time",
}

// contentID gives the beginning of the last part of a build id of the form action/action/content/content: 60 bits
// tell modules apart, and each file that runs one has them, which nothing compresses.
func contentID(id string) string {
	id = strings.TrimSpace(id)
	id = id[strings.LastIndexByte(id, '/')+1:]
	return id[:min(10, len(id))]
}

// repackFile repacks the module in a file.
func repackFile(path, goName string) error {
	module, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if module, err = repack(module, goName); err != nil {
		return err
	}
	_, err = put(path, module)
	return err
}
