package main

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The table of places is 900 KB of numbers that go up by one every so many entries: brotli makes 700 bytes of it, but a browser has to
// unpack it, take it over from its network process, and keep it. So the module writes it itself, when it is instantiated.

// placesPerFunction is how many places each function has: a position is a function's number and a block of it in 16 bits.
const placesPerFunction = 1 << 16 / placePositions

// clearPlaces takes the table of places out of the data, after making sure that it is what writePlaces writes.
func (t *functionTables) clearPlaces() error {
	p := 0
	for place := range slices.Chunk(t.places, placeSize) {
		if len(place) < 4 || int(binary.LittleEndian.Uint32(place)) != p/placesPerFunction {
			return errFunctionTables
		}
		p++
	}
	clear(t.places)
	return nil
}

// Numbers of WebAssembly's binary format.
const (
	sectionType     = 1
	sectionFunction = 3
	sectionElement  = 9
	sectionStart    = 8
	shapeFunction   = 0x60
	typeI32         = 0x7f
)

var errStart = errors.New("the module has a start function already, or lacks a section that one needs")

// withStart gives the module with a function of its own, of the given locals and instructions, that runs when it is instantiated.
func withStart(module, code []byte) ([]byte, error) {
	sections, err := parseSections(module)
	if err != nil {
		return nil, err
	}
	var types, functions, imports uint64
	place := -1 // where the new section belongs
	found := 0
	for i := range sections {
		s := &sections[i]
		r := wasmReader{data: s.body}
		n := r.uint()
		add := func(entry []byte) {
			s.body = append(append(appendUint(nil, n+1), r.data...), entry...)
			found++
		}
		switch s.id {
		case sectionType:
			types = n
			add([]byte{shapeFunction, 0, 0}) // takes nothing, gives nothing
		case sectionImport:
			imports = n // Go's are all functions
		case sectionFunction:
			functions = n
			add(appendUint(nil, types))
		case sectionCode:
			add(append(appendUint(nil, uint64(len(code))), code...))
		case sectionStart:
			return nil, errStart
		}
		if place < 0 && (s.id == sectionElement || s.id == sectionCode) {
			place = i
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	if found != 3 {
		return nil, errStart
	}
	start := section{sectionStart, appendUint(nil, imports+functions)}
	return joinSections(slices.Insert(sections, place, start)), nil
}

// writePlaces gives the function that writes the table of places to an address, count entries of which only the numbers of
// functions are not zero.
func writePlaces(address int64, count int) []byte {
	const place = 0                                                     // the one local, which counts places
	b := []byte{1, 1, typeI32, 0x03, 0x40}                              // loop
	b = append(b, 0x20, place, 0x41, placeSize, 0x6c)                   // place * placeSize
	b = append(b, 0x20, place)                                          // place
	b = append(appendInt(append(b, 0x41), placesPerFunction), 0x6e)     // i32.div_u
	b = appendUint(append(b, 0x36, 0), uint64(address))                 // i32.store
	b = append(b, 0x20, place, 0x41, 1, 0x6a, 0x22, place)              // place = place + 1
	b = append(appendInt(append(b, 0x41), int64(count)), 0x49, 0x0d, 0) // again while place < count
	return append(b, 0x0b, 0x0b)
}
