package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// madeTables is what a linker would write of three functions.
type madeTables struct {
	data                                       []byte
	names, positions, records, details, places []byte
}

// tablesAt makes them for an address.
func tablesAt(address int) madeTables {
	words := func(list ...int) (b []byte) {
		for _, v := range list {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		return b
	}
	var m madeTables
	m.names = []byte("a\x00inlined\x00b\x00c\x00")
	units, files := words(0), []byte("a.go\x00")
	// Offset 0 is no table. One has a zero as its first difference.
	m.positions = []byte{0, 2, 1, 0 /* 1 */, 0, 9, 4, 1, 0 /* 4 */, 8, 8, 0 /* 9 */, 6, 0x80, 1, 0 /* 12 */, 4, 2, 0 /* 16 */}
	m.details = []byte("args....inlineds, twolocals..wrapped.objects.")
	index := 3*8 + 4
	record := func(entry, name, stack, kind int, pcdata, funcdata []int) []byte {
		b := words(entry, name, 8, 0, stack, 9, 9, len(pcdata), 3, 40, len(funcdata)<<24|kind)
		return append(append(b, words(pcdata...)...), words(funcdata...)...)
	}
	none := -1
	a := record(0, 0, 1, 5, []int{9, 4, 9}, []int{0, 21, none, 8})
	b := record(1, 10, 4, 0, nil, nil)
	c := record(2, 12, 12, wrapper, []int{0, 1, 16}, []int{none, none, 37, 29})
	m.records = words(0, index, 1, index+len(a), 2, index+len(a)+len(b), 3)
	m.records = append(append(append(m.records, a...), b...), c...)
	m.places = append(words(0), bytes.Repeat([]byte{7}, 16)...)
	m.places = append(append(m.places, words(0)...), 1)

	header := words(-15, 0x08010000)
	for range headerWords - 1 {
		header = binary.LittleEndian.AppendUint64(header, 0)
	}
	binary.LittleEndian.PutUint64(header[8*headerCount:], 3)
	binary.LittleEndian.PutUint64(header[8*headerNames:], uint64(len(header)))
	module := make([]byte, 8*moduleWords)
	set := func(i, v int) { binary.LittleEndian.PutUint64(module[8*i:], uint64(v)) }
	m.data = header
	set(0, address)
	for _, part := range []struct {
		word, size int
		bytes      []byte
	}{
		{moduleNames, 1, m.names}, {moduleUnits, 4, units}, {moduleFiles, 1, files}, {modulePositions, 1, m.positions},
		{moduleRecords, 1, m.records}, {moduleDetails, 0, m.details}, {modulePlaces, 0, m.places},
	} {
		set(part.word, address+len(m.data))
		if part.size > 0 {
			set(part.word+1, len(part.bytes)/part.size)
		}
		m.data = append(m.data, part.bytes...)
	}
	set(moduleFirst, 1<<28)
	set(moduleLast, 1<<28+placePositions+100)
	set(moduleEnd, address+len(m.data))
	m.data = append(m.data, module...)
	return m
}

func TestWhatIsPrintedOfStacksIsTakenOut(t *testing.T) {
	made := tablesAt(500)
	data := append([]byte("types"), made.data...)
	tables, err := readFunctionTables(data, 495)
	require.NoError(t, err)
	assert.Equal(t, 3, tables.count)
	assert.Equal(t, "types", string(data[:tables.start]))
	require.NoError(t, stripFunctions(tables))

	assert.Len(t, data, len(made.data)+5, "nothing moves")
	assert.Equal(t, "a\x00\x00\x00\x00\x00\x00\x00\x00\x00b\x00c\x00", string(tables.names))
	assert.Equal(t, make([]byte, 4), tables.units)
	assert.Equal(t, make([]byte, 5), tables.files)
	assert.Equal(t, []byte{0, 2, 1, 0, 0, 9, 4, 1, 0, 0, 0, 0, 6, 0x80, 1, 0, 4, 2, 0}, tables.positions)
	assert.Equal(t, "args....\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00locals..wrapped.objects.", string(tables.details))
	assert.Equal(t, make([]byte, 25), tables.places)
	assert.EqualValues(t, 495+bytes.Index(data, []byte("objects."))+8, tables.placesAt)

	words := func(b []byte) (list []int32) {
		for ; len(b) > 0; b = b[4:] {
			list = append(list, int32(binary.LittleEndian.Uint32(b)))
		}
		return list
	}
	assert.Equal(t, []int32{
		0, 28, 1, 100, 2, 144, 3, // the index
		0, 0, 8, 0, 1, 0, 0, 3, 0, 0, 4<<24 | 5, 0, 4, 0, 0, 21, -1, -1,
		1, 10, 8, 0, 4, 0, 0, 0, 0, 0, 0,
		2, 12, 8, 0, 12, 0, 0, 3, 0, 0, 4<<24 | wrapper, 0, 1, 16, -1, -1, 37, 29,
	}, words(tables.records))
}

func TestOtherTablesAreLeftAlone(t *testing.T) {
	assert.True(t, knowsFunctionTables("go1.26"))
	assert.True(t, knowsFunctionTables("go1.26.8"))
	assert.False(t, knowsFunctionTables("go1.27"))
	assert.False(t, knowsFunctionTables("go1.260"))

	module := joinSections([]section{{sectionData, appendSegments(nil, []segment{{0, []byte("something")}})}})
	out, err := repack(module, "go1.99")
	require.NoError(t, err)
	assert.Equal(t, module, out)
	_, err = repack(module, "go1.26.8")
	assert.ErrorIs(t, err, errFunctionTables)
}

// TestTablesThatDoNotFitAreRefused spoils each word of the header and of the module's record.
func TestTablesThatDoNotFitAreRefused(t *testing.T) {
	const address = 64
	made := tablesAt(address)
	_, err := readFunctionTables(made.data, address)
	require.NoError(t, err)
	module := len(made.data) - 8*moduleWords
	for _, word := range []int{
		8 * headerCount, 8 * headerNames, module, module + 8*moduleNames, module + 8*(moduleNames+1), module + 8*moduleUnits,
		module + 8*(moduleFiles+1), module + 8*modulePositions, module + 8*(moduleRecords+1), module + 8*moduleDetails,
		module + 8*modulePlaces, module + 8*moduleFirst, module + 8*moduleLast, module + 8*moduleEnd,
	} {
		data := bytes.Clone(made.data)
		data[word+2] ^= 0x40
		_, err := readFunctionTables(data, address)
		assert.ErrorIs(t, err, errFunctionTables, "word at %d", word)
	}
	_, err = readFunctionTables(made.data[:module+100], address)
	assert.ErrorIs(t, err, errFunctionTables)

	for name, at := range map[string]int{"where a record is": 5, "how many words of pcdata": 28 + 4*recordPcdata, "of funcdata": 28 + 4*recordFuncdata + 3} {
		data := bytes.Clone(made.data)
		tables, err := readFunctionTables(data, address)
		require.NoError(t, err)
		tables.records[at] = 200
		assert.ErrorIs(t, stripFunctions(tables), errFunctionTables, name)
	}
}

// TestPlacesThatAreNotAsTheyAreWritten: the module would write other ones.
func TestPlacesThatAreNotAsTheyAreWritten(t *testing.T) {
	place := func(function int) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, uint32(function)), bytes.Repeat([]byte{7}, placeSize-4)...)
	}
	var whole []byte
	for p := range 40 {
		whole = append(whole, place(p/16)...)
	}
	whole = append(whole, place(2)[:4]...)
	assert.NoError(t, (&functionTables{places: bytes.Clone(whole)}).clearPlaces())
	for _, p := range []int{0, 15, 16, 40} {
		other := bytes.Clone(whole)
		other[p*placeSize]++
		assert.ErrorIs(t, (&functionTables{places: other}).clearPlaces(), errFunctionTables, p)
	}
	assert.ErrorIs(t, (&functionTables{places: whole[:len(whole)-1]}).clearPlaces(), errFunctionTables)
}
