package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

// functionTables is what a module's data says about its functions, for Go's runtime. The slices are parts of the data.
type functionTables struct {
	count     int    // of functions
	names     []byte // each ends with a zero
	units     []byte // where a package's files are in files
	files     []byte
	positions []byte // tables of values by position in the code: lines, sizes of the stack, which map of it holds
	records   []byte // where each function's record is, then the records
	details   []byte // what records point to besides: maps of stacks, what was inlined
	places    []byte // which function is at a place in the code
	placesAt  int64  // their address
	start     int    // of all of it in the data
	end       int
}

// The layout is that of runtime.pcHeader, runtime.moduledata and runtime._func, in runtime/symtab.go and
// runtime/runtime2.go of Go 1.26, where internal/abi/symtab.go numbers pcdata and funcdata.
var pcHeaderMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// knowsFunctionTables tells whether a toolchain's layout is the one that is known here.
func knowsFunctionTables(goName string) bool {
	return goName == "go1.26" || strings.HasPrefix(goName, "go1.26.")
}

var errFunctionTables = errors.New("the tables of functions are not laid out as they were known")

// Words of 8 bytes, counted from the header and from the module's own record. A slice takes three, the second of which is
// its length.
const (
	headerCount = 1
	headerNames = 4
	headerWords = 9

	moduleNames     = 1
	moduleUnits     = 4
	moduleFiles     = 7
	modulePositions = 10
	moduleRecords   = 13
	modulePlaces    = 19
	moduleFirst     = 20 // position of the first function
	moduleLast      = 21 // and where the last one ends
	moduleDetails   = 40
	moduleEnd       = 41
	moduleWords     = 42
)

// A table of places has an entry of placeSize bytes for so many positions, the first four of which are a function's
// number. The last one may be cut off behind that.
const (
	placeSize      = 20
	placePositions = 4096
)

// readFunctionTables finds the tables in data, which is at offset in the module's memory.
func readFunctionTables(data []byte, offset int64) (*functionTables, error) {
	start := bytes.Index(data, pcHeaderMagic)
	if start < 0 || len(data) < start+8*headerWords {
		return nil, errFunctionTables
	}
	header := func(i int) uint64 { return binary.LittleEndian.Uint64(data[start+8*i:]) }
	address := uint64(offset) + uint64(start)
	// The module's record begins with the header's address, which the names' follows.
	record := binary.LittleEndian.AppendUint64(nil, address)
	record = binary.LittleEndian.AppendUint64(record, address+header(headerNames))
	at := bytes.Index(data, record)
	if at < 0 || len(data) < at+8*moduleWords {
		return nil, errFunctionTables
	}
	module := func(i int) uint64 { return binary.LittleEndian.Uint64(data[at+8*i:]) }
	next := address
	part := func(from, to uint64) []byte { // each comes after the one before
		if from < next || to < from || to > uint64(offset)+uint64(len(data)) {
			next = 1<<64 - 1
			return nil
		}
		next = to
		return data[from-uint64(offset) : to-uint64(offset)]
	}
	slice := func(i int, size uint64) []byte { return part(module(i), module(i)+size*module(i+1)) }
	t := &functionTables{
		count:     int(header(headerCount)),
		names:     slice(moduleNames, 1),
		units:     slice(moduleUnits, 4),
		files:     slice(moduleFiles, 1),
		positions: slice(modulePositions, 1),
		records:   slice(moduleRecords, 1),
		details:   part(module(moduleDetails), module(modulePlaces)),
		places:    part(module(modulePlaces), module(moduleEnd)),
		placesAt:  int64(module(modulePlaces)),
		start:     start, end: int(module(moduleEnd) - uint64(offset)),
	}
	covered := (module(moduleLast) - module(moduleFirst) + placePositions - 1) / placePositions
	if next != module(moduleEnd) || uint64(len(t.records)) < 8*header(headerCount)+4 || (uint64(len(t.places))+placeSize-1)/placeSize != covered {
		return nil, errFunctionTables
	}
	return t, nil
}
