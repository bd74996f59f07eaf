package main

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A function's record is of words of 4 bytes, which those of its pcdata and funcdata follow. The last word
// before them begins with a byte for what kind of function it is, and ends with one for how many words funcdata has.
const (
	recordName      = 1
	recordStack     = 4 // the size of the stack, by position
	recordFile      = 5
	recordLine      = 6
	recordPcdata    = 7 // how many words
	recordUnit      = 8
	recordFirstLine = 9
	recordFuncdata  = 10
	recordWords     = 11
)

// What the runtime works with. The rest of pcdata and funcdata is for printing stacks (what was inlined, values of arguments)
// and for signals, which a page has none of.
var (
	neededPcdata   = []int{1, 4}       // PCDATA_StackMapIndex, PCDATA_PanicBounds
	neededFuncdata = []int{0, 1, 2, 4} // FUNCDATA_ArgsPointerMaps, LocalsPointerMaps, StackObjects, OpenCodedDeferInfo
)

// What was inlined in a wrapper is needed as well: recover passes wrappers over, but counts what is in them, which may be
// one call too many (runtime.gorecover). Any other function is one by itself.
const (
	wrapper         = 23 // FuncIDWrapper, a kind of function
	inlinedPcdata   = 2  // PCDATA_InlTreeIndex
	inlinedFuncdata = 3  // FUNCDATA_InlTree
)

const (
	noPcdata   = 0
	noFuncdata = 1<<32 - 1
)

// stripFunctions overwrites with zeros what the tables of functions hold for printing stacks alone: names of files,
// lines, arguments and most of what was inlined. That is a seventh of the module's download. The stack of a program that
// panics names functions as before, and has ?:0 for their lines. Nothing moves, so every address stays right.
func stripFunctions(t *functionTables) error {
	kept := struct{ names, positions, details []uint32 }{}
	var details []uint32 // where something begins, needed or not
	for i := range t.count {
		at := int64(t.word(8*i + 4))
		word := func(i int) []byte { return t.records[at+4*int64(i):] }
		if at+4*recordWords > int64(len(t.records)) {
			return errFunctionTables
		}
		pcdata, funcdata := int(t.word(int(at)+4*recordPcdata)), int(word(recordFuncdata)[3])
		if pcdata > 16 || funcdata > 16 || at+int64(4*(recordWords+pcdata+funcdata)) > int64(len(t.records)) {
			return errFunctionTables
		}
		get := func(i int) uint32 { return binary.LittleEndian.Uint32(word(i)) }
		set := func(i int, v uint32) { binary.LittleEndian.PutUint32(word(i), v) }
		wraps := word(recordFuncdata)[0] == wrapper
		for _, i := range []int{recordFile, recordLine, recordUnit, recordFirstLine} {
			set(i, 0)
		}
		kept.names = append(kept.names, get(recordName))
		kept.positions = append(kept.positions, get(recordStack))
		for j := range pcdata {
			if k := recordWords + j; slices.Contains(neededPcdata, j) || wraps && j == inlinedPcdata {
				kept.positions = append(kept.positions, get(k))
			} else {
				set(k, noPcdata)
			}
		}
		for j := range funcdata {
			k := recordWords + pcdata + j
			v := get(k)
			if v == noFuncdata {
				continue
			}
			details = append(details, v)
			if slices.Contains(neededFuncdata, j) || wraps && j == inlinedFuncdata {
				kept.details = append(kept.details, v)
			} else {
				set(k, noFuncdata)
			}
		}
	}
	clear(t.units)
	clear(t.files)
	keepOnly(t.names, kept.names, func(b []byte) int { return bytes.IndexByte(b, 0) + 1 })
	keepOnly(t.positions, kept.positions, positionsSize)
	t.clearDetails(details, kept.details)
	return t.clearPlaces()
}

// word reads a word of the records.
func (t *functionTables) word(at int) uint32 { return binary.LittleEndian.Uint32(t.records[at:]) }

// keepOnly clears table but for what begins at starts, as long as size says.
func keepOnly(table []byte, starts []uint32, size func([]byte) int) {
	whole := bytes.Clone(table)
	clear(table)
	for _, start := range starts {
		if int(start) < len(whole) {
			n := size(whole[start:])
			copy(table[start:int(start)+n], whole[start:])
		}
	}
}

// positionsSize is how long a table by position is: pairs of numbers, of which the first, a difference between values, is
// zero only in the first pair, and at the end.
func positionsSize(b []byte) int {
	size := 0
	for first := true; ; first = false {
		v, n := binary.Uvarint(b[size:])
		if n <= 0 {
			return len(b)
		}
		size += n
		if v == 0 && !first {
			return size
		}
		_, n = binary.Uvarint(b[size:])
		size += max(n, 0)
	}
}

// clearDetails clears what begins at one of starts and not at one of kept. Nothing says how long it is: it goes on
// to what comes next. So the last one stays.
func (t *functionTables) clearDetails(starts, kept []uint32) {
	slices.Sort(starts)
	starts = slices.Compact(starts)
	slices.Sort(kept)
	for i, start := range starts[:max(len(starts)-1, 0)] {
		if _, needed := slices.BinarySearch(kept, start); !needed && int(starts[i+1]) <= len(t.details) {
			clear(t.details[start:starts[i+1]])
		}
	}
}
