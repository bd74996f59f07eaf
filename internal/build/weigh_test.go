package main

import (
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

func TestAModuleIsTakenApart(t *testing.T) {
	name := appendUint(append([]byte{4}, "name"...), 1)
	names := []byte{2, 1, 9}
	names = append(append(names, "runtime.f"...), 2, 8)
	names = append(names, "main.run"...)
	name = append(appendUint(name, uint64(len(names))), names...)
	module := joinSections([]section{
		{sectionImport, []byte{1}},
		{sectionCode, []byte{2, 3, 'a', 'a', 'a', 2, 'b', 'b'}},
		{sectionData, appendSegments(nil, split([]segment{{4096, append(append([]byte("types"), tablesAt(4096+5).data...), 'x')}}, 8))},
		{sectionCustom, name},
	})
	code, data, err := weighModule(module)
	require.NoError(t, err)
	raw := map[string]int{}
	for _, w := range append(code, data...) {
		assert.Positive(t, w.brotli, w.name)
		raw[w.name] = w.raw
	}
	made := tablesAt(0)
	assert.Equal(t, map[string]int{
		"runtime": 3, "wasm": 2, "types, strings, constants": 5, "names of functions": len(made.names),
		"stack sizes and the like, by position": len(made.positions), "records of functions": len(made.records),
		"maps of stacks": len(made.details), "which function is where": len(made.places), "variables": 8*moduleWords + 1,
	}, raw)
	assert.Contains(t, weightsDocument("go1", 10, 5, code, data), "| **all** | 2 | 5 |")

	_, _, err = weighModule(joinSections(nil))
	assert.ErrorContains(t, err, "no names")
	_, err = weighData(appendSegments(nil, []segment{{0, []byte("nothing")}}))
	assert.ErrorIs(t, err, errFunctionTables)
}
