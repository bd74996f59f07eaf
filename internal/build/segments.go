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

// gapFilled is how many zero bytes between two pieces of data are filled, so that tables are in one piece while they are worked on.
const gapFilled = 64 << 10

// gapKept is how many zero bytes in a piece of data are left out in the end, with a segment's header in their place, in which brotli
// finds little to save.
const gapKept = 256

// repack gives the module with data that takes less to download: in fewer segments, and, where the toolchain's tables
// of functions are known, without what stripFunctions takes out of them.
func repack(module []byte, goName string) ([]byte, error) {
	var places []byte // the function that writes the table of places
	module, err := rewriteData(module, func(segments []segment) ([]segment, error) {
		segments = merged(segments, gapFilled)
		if knowsFunctionTables(goName) {
			tables, err := functionTablesIn(segments)
			if err != nil {
				return nil, err
			}
			if err := stripFunctions(tables); err != nil {
				return nil, err
			}
			places = writePlaces(tables.placesAt, (len(tables.places)+placeSize-1)/placeSize)
		}
		return split(segments, gapKept), nil
	})
	if err != nil || places == nil {
		return module, err
	}
	return withStart(module, places)
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

// merged fills the gaps between segments with zeros, except those of more than gap. Go's linker leaves out
// every run of eight zeros, which makes tens of thousands of segments, each with a header in
// which brotli finds little to save. Zeros cost it nothing: a module with them is a
// thirteenth smaller to download, starts faster, and has the same memory.
func merged(segments []segment, gap int64) []segment {
	var out []segment
	for _, s := range segments {
		if len(out) == 0 || s.offset-out[len(out)-1].end() > gap {
			out = append(out, segment{s.offset, bytes.Clone(s.data)})
			continue
		}
		last := &out[len(out)-1]
		last.data = append(last.data, make([]byte, s.offset-last.end())...)
		last.data = append(last.data, s.data...)
	}
	return out
}

// split leaves out zeros where gap of them or more are in a row, and at the ends: memory is zero before data is written into it.
func split(segments []segment, gap int) []segment {
	var out []segment
	for _, s := range segments {
		zeros := 0 // in a row
		start := 0 // of what is not written yet
		for i := 0; i <= len(s.data); i++ {
			if i < len(s.data) && s.data[i] == 0 {
				zeros++
				continue
			}
			if zeros >= gap || i == len(s.data) || start == i-zeros {
				if end := i - zeros; end > start {
					out = append(out, segment{s.offset + int64(start), s.data[start:end:end]})
				}
				start = i
			}
			zeros = 0
		}
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
