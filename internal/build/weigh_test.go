package main

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"runtime.mallocgc": "runtime",
		"github.com_kiiweb_kiiweb_internal_session.__loop_.run":    "internal/session",
		"github.com_kiiweb_kiiweb_pkg_kiiweb.New":                  "pkg/kiiweb",
		"internal_runtime_maps.__Map_.Clear":                       "internal/runtime/maps",
		"main.main":                                                "wasm",
		"memcmp":                                                   "runtime",
		"type_.eq.struct___github.com_kiiweb_kiiweb_pkg_kiiweb.X_": "(comparisons that the compiler makes of types)",
	} {
		assert.Equal(t, want, packageOf(function), function)
	}
}

// tableOfFunctions makes data with a table of one function in it.
func tableOfFunctions(before string) []byte {
	data := append([]byte(before), 0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8)
	for _, v := range []uint64{1, 1, 0, 72, 75, 76, 80, 84} {
		data = binary.LittleEndian.AppendUint64(data, v)
	}
	data = append(data, "nameUfilesposi"[:12]...)
	data = binary.LittleEndian.AppendUint32(data, 0)  // the function's code
	data = binary.LittleEndian.AppendUint32(data, 16) // its record
	data = binary.LittleEndian.AppendUint32(data, 0)  // the end of code
	data = binary.LittleEndian.AppendUint32(data, 0)
	data = append(data, make([]byte, 256)...)
	return append(data, "variables"...)
}

func TestAModuleIsTakenApart(t *testing.T) {
	name := appendUint(append([]byte{4}, "name"...), 1)
	names := []byte{2, 1, 9}
	names = append(append(names, "runtime.f"...), 2, 8)
	names = append(names, "main.run"...)
	name = append(appendUint(name, uint64(len(names))), names...)
	module := joinSections([]section{
		{sectionImport, []byte{1}},
		{sectionCode, []byte{2, 3, 'a', 'a', 'a', 2, 'b', 'b'}},
		{sectionData, appendSegments(nil, []segment{{4096, tableOfFunctions("types")}})},
		{sectionCustom, name},
	})
	code, data, err := weighModule(module)
	require.NoError(t, err)
	raw := map[string]int{}
	for _, w := range append(code, data...) {
		assert.Positive(t, w.brotli, w.name)
		raw[w.name] = w.raw
	}
	assert.Equal(t, map[string]int{
		"runtime": 3, "wasm": 2, "types, strings, constants": 5, "names of functions": 3, "names of files": 5,
		"lines, stack maps and the like, by position": 4, "records of functions": 272, "variables": 9,
	}, raw)
	assert.Contains(t, weightsDocument("go1", 10, 5, code, data), "| **all** | 2 | 5 |")

	_, _, err = weighModule(joinSections(nil))
	assert.ErrorContains(t, err, "no names")
	_, err = weighData(appendSegments(nil, []segment{{0, []byte("nothing")}}))
	assert.ErrorContains(t, err, "no table")
}
