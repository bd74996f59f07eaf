package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// segment is a piece of a module's memory as it is when the module starts.
type segment struct {
	offset int64
	data   []byte
}

// gapKept is how many zero bytes between two pieces of data are worth a segment of their own.
const gapKept = 64 << 10

// repack gives the module with data that takes less to download: in fewer segments, and, where the toolchain's tables
// of functions are known, without what stripFunctions takes out of them.
func repack(module []byte, goName string) ([]byte, error) {
	return rewriteData(module, func(segments []segment) ([]segment, error) {
		segments = merged(segments)
		if !knowsFunctionTables(goName) {
			return segments, nil
		}
		tables, err := functionTablesIn(segments)
		if err != nil {
			return nil, err
		}
		return segments, stripFunctions(tables)
	})
}

// functionTablesIn finds the tables of functions.
func functionTablesIn(segments []segment) (*functionTables, error) {
	for _, s := range segments {
		if bytes.Contains(s.data, pcHeaderMagic) {
			return readFunctionTables(s.data, s.offset)
		}
	}
	return nil, errFunctionTables
}

// rewriteData gives the module with the data segments that change makes of its own.
func rewriteData(module []byte, change func([]segment) ([]segment, error)) ([]byte, error) {
	sections, err := parseSections(module)
	if err != nil {
		return nil, err
	}
	for i, s := range sections {
		if s.id != sectionData {
			continue
		}
		segments, err := parseSegments(s.body)
		if err != nil {
			return nil, err
		}
		if segments, err = change(segments); err != nil {
			return nil, err
		}
		sections[i].body = appendSegments(nil, segments)
	}
	return joinSections(sections), nil
}

// parseSegments reads a data section. It knows active segments of the first memory at constant
// offsets, which is all that Go's linker writes. They come in the order of their offsets.
func parseSegments(body []byte) ([]segment, error) {
	r := wasmReader{data: body}
	var segments []segment
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		r.expect(0)    // active, memory 0
		r.expect(0x41) // i32.const
		offset := r.int()
		r.expect(0x0b) // end
		segments = append(segments, segment{offset, r.bytes(r.uint())})
	}
	if len(r.data) > 0 {
		r.fail("%d bytes after the last data segment", len(r.data))
	}
	slices.SortStableFunc(segments, func(a, b segment) int { return cmp.Compare(a.offset, b.offset) })
	for i, s := range segments {
		if s.offset < 0 || i > 0 && s.offset < segments[i-1].end() {
			r.fail("the data segment at %d overlaps another", s.offset)
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("data section: %w", r.err)
	}
	return segments, nil
}

func (s segment) end() int64 { return s.offset + int64(len(s.data)) }

// merged fills the gaps between segments with zeros, except the large ones. Go's linker leaves out
// every run of eight zeros, which makes tens of thousands of segments, each with a header in
// which brotli finds little to save. Zeros cost it nothing: a module with them is a
// thirteenth smaller to download, starts faster, and has the same memory.
func merged(segments []segment) []segment {
	var out []segment
	for _, s := range segments {
		if len(out) == 0 || s.offset-out[len(out)-1].end() > gapKept {
			out = append(out, segment{s.offset, bytes.Clone(s.data)})
			continue
		}
		last := &out[len(out)-1]
		last.data = append(last.data, make([]byte, s.offset-last.end())...)
		last.data = append(last.data, s.data...)
	}
	return out
}

func appendSegments(b []byte, segments []segment) []byte {
	b = appendUint(b, uint64(len(segments)))
	for _, s := range segments {
		b = append(appendInt(append(b, 0, 0x41), s.offset), 0x0b)
		b = appendUint(b, uint64(len(s.data)))
		b = append(b, s.data...)
	}
	return b
}
