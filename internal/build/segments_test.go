package main

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersGoBothWays(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 1 << 20, -1 << 31, math.MaxInt32, math.MaxInt64, math.MinInt64} {
		r := wasmReader{data: appendInt(nil, v)}
		assert.Equal(t, v, r.int())
		assert.NoError(t, r.err)
		r = wasmReader{data: appendUint(nil, uint64(v))}
		assert.Equal(t, uint64(v), r.uint())
		assert.NoError(t, r.err)
	}
	r := wasmReader{data: bytes.Repeat([]byte{0xff}, 11)}
	r.uint()
	assert.ErrorContains(t, r.err, "64 bits")
}

// memoryOf gives the first n bytes of a fresh memory after the segments were written to it.
func memoryOf(t *testing.T, module []byte, n int) []byte {
	sections, err := parseSections(module)
	require.NoError(t, err)
	memory := make([]byte, n)
	for _, s := range sections {
		if s.id == sectionData {
			segments, err := parseSegments(s.body)
			require.NoError(t, err)
			for _, s := range segments {
				copy(memory[s.offset:], s.data)
			}
		}
	}
	return memory
}

func mergeSegments(module []byte) ([]byte, error) {
	return rewriteData(module, func(segments []segment) ([]segment, error) { return merged(segments, gapFilled), nil })
}

func TestMergedSegmentsGiveTheSameMemory(t *testing.T) {
	const far = 300_000
	data := appendSegments(nil, []segment{{8, []byte("one")}, {20, []byte("two")}, {far, []byte("three")}, {23, []byte("four")}})
	custom := append([]byte{4}, "nameleft alone"...)
	module := joinSections([]section{{sectionCustom, custom}, {sectionData, data}, {sectionCustom, custom}})

	out, err := mergeSegments(module)
	require.NoError(t, err)
	assert.Equal(t, memoryOf(t, module, far+100), memoryOf(t, out, far+100))
	sections, err := parseSections(out)
	require.NoError(t, err)
	require.Len(t, sections, 3)
	assert.Equal(t, custom, sections[0].body)
	assert.Equal(t, custom, sections[2].body)
	segments, err := parseSegments(sections[1].body)
	require.NoError(t, err)
	assert.Equal(t, []segment{{8, []byte("one\x00\x00\x00\x00\x00\x00\x00\x00\x00twofour")}, {far, []byte("three")}}, segments)
}

func TestModulesThatAreNotUnderstoodAreRefused(t *testing.T) {
	module := func(body ...byte) []byte { return joinSections([]section{{sectionData, body}}) }
	cases := map[string]struct {
		module []byte
		err    string
	}{
		"empty":              {nil, "not a WebAssembly module"},
		"another version":    {[]byte("\x00asm\x02\x00\x00\x00"), "not a WebAssembly module"},
		"a section cut off":  {append(bytes.Clone(wasmHeader), sectionData, 5, 1), "ends early"},
		"a passive segment":  {module(1, 1, 1, 'x'), "0x1 where 0x0 belongs"},
		"a global's offset":  {module(1, 0, 0x23, 0, 0x0b, 0), "0x23 where 0x41 belongs"},
		"a segment cut off":  {module(1, 0, 0x41, 0, 0x0b, 9, 'x'), "ends early"},
		"too few segments":   {module(2, 0, 0x41, 0, 0x0b, 1, 'x'), "ends early"},
		"more than segments": {module(1, 0, 0x41, 0, 0x0b, 1, 'x', 'y'), "1 bytes after"},
		"an overlap":         {module(2, 0, 0x41, 0, 0x0b, 2, 'x', 'y', 0, 0x41, 1, 0x0b, 1, 'z'), "overlaps"},
		"a negative offset":  {module(1, 0, 0x41, 0x7f, 0x0b, 1, 'x'), "overlaps"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := mergeSegments(c.module)
			assert.ErrorContains(t, err, c.err)
		})
	}
}

func TestZerosAreLeftOut(t *testing.T) {
	zeros := func(n int) string { return string(make([]byte, n)) }
	in := []segment{
		{10, []byte(zeros(2) + "a" + zeros(3) + "b" + zeros(4) + "c" + zeros(9) + "d" + zeros(1))},
		{100, []byte(zeros(50))}, {200, []byte("e")},
	}
	out := split(in, 4)
	assert.Equal(t, []segment{
		{12, []byte("a" + zeros(3) + "b")}, {21, []byte("c")}, {31, []byte("d")}, {200, []byte("e")},
	}, out)
	module := func(s []segment) []byte { return joinSections([]section{{sectionData, appendSegments(nil, s)}}) }
	assert.Equal(t, memoryOf(t, module(in), 300), memoryOf(t, module(out), 300))
	assert.Empty(t, split(nil, 4))
}
