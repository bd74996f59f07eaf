package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// weight is what a part of the module weighs.
type weight struct {
	name      string
	functions int
	raw       int
	brotli    int // compressed alone
	content   []byte
}

// writeWeights builds the module with names and writes docs/size.md.
func writeWeights(p *project) error {
	named := p.at(".cache", "named.wasm")
	if err := compileWasm(p, named); err != nil {
		return err
	}
	module, err := os.ReadFile(named)
	if err != nil {
		return err
	}
	module, err = repack(module, p.goName)
	if err != nil {
		return err
	}
	code, data, err := weighModule(module)
	if err != nil {
		return err
	}
	shipped, err := os.ReadFile(p.dist(wasmFile))
	if err != nil {
		return err
	}
	small, err := os.Stat(p.dist(wasmFile + ".br"))
	if err != nil {
		return err
	}
	text := weightsDocument(p.goName, len(shipped), small.Size(), code, data)
	wrote, err := put(p.at("docs", "size.md"), []byte(text))
	if wrote && err == nil {
		fmt.Println("wrote docs/size.md")
	}
	return err
}

// weighModule takes a module with names apart: its code by package, its data by kind.
func weighModule(module []byte) (code, data []weight, err error) {
	sections, err := parseSections(module)
	if err != nil {
		return nil, nil, err
	}
	var imports uint64
	var bodies [][]byte
	var names map[uint64]string
	for _, s := range sections {
		r := wasmReader{data: s.body}
		switch s.id {
		case sectionImport:
			imports = r.uint()
		case sectionCode:
			for n := r.uint(); n > 0 && r.err == nil; n-- {
				bodies = append(bodies, r.bytes(r.uint()))
			}
		case sectionData:
			if data, err = weighData(s.body); err != nil {
				return nil, nil, err
			}
		case sectionCustom:
			if r.name() == "name" {
				names = readNames(&r)
			}
		}
		if r.err != nil {
			return nil, nil, r.err
		}
	}
	if len(names) == 0 {
		return nil, nil, errors.New("the module has no names")
	}
	packages := make(map[string]*weight)
	for i, body := range bodies {
		name := packageOf(names[imports+uint64(i)])
		w := packages[name]
		if w == nil {
			w = &weight{name: name}
			packages[name] = w
		}
		w.functions++
		w.content = append(w.content, body...)
	}
	for _, w := range packages {
		code = append(code, *w)
	}
	return code, data, compressWeights(code, data)
}

// compressWeights fills in the sizes and sorts, largest first.
func compressWeights(lists ...[]weight) error {
	for _, list := range lists {
		for i := range list {
			w := &list[i]
			small, err := compressions[0].inBlocks(w.content)
			if err != nil {
				return err
			}
			w.raw, w.brotli, w.content = len(w.content), len(small), nil
		}
		slices.SortFunc(list, func(a, b weight) int {
			return cmp.Or(cmp.Compare(b.brotli, a.brotli), cmp.Compare(a.name, b.name))
		})
	}
	return nil
}

// readNames reads the names of functions in a name section, of which it is the first part.
func readNames(r *wasmReader) map[uint64]string {
	r.expect(1)
	r.uint() // the part's size
	names := make(map[uint64]string)
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		index := r.uint()
		names[index] = r.name()
	}
	return names
}

// packageOf gives the package of a function as the linker names it: what stands before the first
// dot, the linker having turned slashes and more into _. Dots in our own module path are the exception.
func packageOf(function string) string {
	const ours = "github.com_kiiweb_kiiweb_"
	if rest, isOurs := strings.CutPrefix(function, ours); isOurs {
		name, _, _ := strings.Cut(rest, ".")
		return strings.Replace(name, "_", "/", 1)
	}
	name, _, hasDot := strings.Cut(function, ".")
	switch {
	case strings.HasPrefix(function, "type_."):
		return "(comparisons that the compiler makes of types)"
	case !hasDot:
		return "runtime"
	case name == "main":
		return "wasm"
	}
	return strings.ReplaceAll(name, "_", "/")
}

// weighData tells the tables that Go's runtime needs of functions from other data.
func weighData(body []byte) ([]weight, error) {
	segments, err := parseSegments(body)
	if err != nil {
		return nil, err
	}
	segments = merged(segments, math.MaxInt64) // what was split
	t, err := functionTablesIn(segments)
	if err != nil {
		return nil, err
	}
	var before, after []byte
	for _, s := range segments {
		switch {
		case bytes.Contains(s.data, pcHeaderMagic):
			before, after = append(before, s.data[:t.start]...), append(after, s.data[t.end:]...)
		case after == nil:
			before = append(before, s.data...)
		default:
			after = append(after, s.data...)
		}
	}
	weights := []weight{
		{name: "types, strings, constants", content: before},
		{name: "names of functions", content: t.names},
		{name: "stack sizes and the like, by position", content: t.positions},
		{name: "records of functions", content: t.records},
		{name: "maps of stacks", content: t.details},
		{name: "variables", content: after},
	}
	if !allZero(t.places) { // else the module writes it itself
		weights = append(weights, weight{name: "which function is where", content: t.places})
	}
	return weights, nil
}

func allZero(b []byte) bool {
	return len(bytes.Trim(b, "\x00")) == 0
}

// weightsDocument writes it up.
func weightsDocument(toolchain string, raw int, brotli int64, code, data []weight) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What weighs what

This file is written by `+"`make weigh`"+`. %s is %d bytes, **%d with brotli**, built by %s.

Brotli's bytes are those of each part compressed alone. Together they come to another sum than the whole: brotli finds in one part what
it has seen in another. Compare them with each other. What a change saves or costs is told by `+"`make size`"+` alone.
Data is counted as it is in memory; most of its zeros are not in the module.

## Code

| package | functions | raw | brotli |
|---|---|---|---|
`, wasmFile, raw, brotli, toolchain)
	for _, w := range append(slices.Clone(code), sum(code)) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", w.name, w.functions, w.raw, w.brotli)
	}
	b.WriteString("\n## Data\n\n| part | raw | brotli |\n|---|---|---|\n")
	for _, w := range append(slices.Clone(data), sum(data)) {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", w.name, w.raw, w.brotli)
	}
	return b.String()
}

func sum(list []weight) weight {
	all := weight{name: "**all**"}
	for _, w := range list {
		all.functions, all.raw, all.brotli = all.functions+w.functions, all.raw+w.raw, all.brotli+w.brotli
	}
	return all
}
