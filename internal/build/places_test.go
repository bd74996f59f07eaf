package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAModuleGetsAStartFunction(t *testing.T) {
	code := writePlaces(4096, 100)
	module := func(sections ...section) []byte { return joinSections(sections) }
	types, functions, body := []byte{1, shapeFunction, 1, typeI32, 0}, []byte{2, 0, 0}, []byte{2, 2, 0, 0x0b, 2, 0, 0x0b}
	imports := []byte{3, 'x'} // counted, and not read
	out, err := withStart(module(
		section{sectionType, types}, section{sectionImport, imports}, section{sectionFunction, functions},
		section{sectionElement, []byte{0}}, section{sectionCode, body}, section{sectionData, []byte{0}},
	), code)
	require.NoError(t, err)
	sections, err := parseSections(out)
	require.NoError(t, err)
	var ids []byte
	for _, s := range sections {
		ids = append(ids, s.id)
	}
	assert.Equal(t, []byte{sectionType, sectionImport, sectionFunction, sectionStart, sectionElement, sectionCode, sectionData}, ids)
	assert.Equal(t, []byte{2, shapeFunction, 1, typeI32, 0, shapeFunction, 0, 0}, sections[0].body)
	assert.Equal(t, imports, sections[1].body)
	assert.Equal(t, []byte{3, 0, 0, 1}, sections[2].body)
	assert.Equal(t, []byte{5}, sections[3].body, "behind the imports and the two")
	assert.Equal(t, append(append([]byte{3}, body[1:]...), append([]byte{byte(len(code))}, code...)...), sections[5].body)

	for name, sections := range map[string][]section{
		"no functions":     {{sectionType, types}, {sectionCode, body}},
		"no types":         {{sectionFunction, functions}, {sectionCode, body}},
		"a start already":  {{sectionType, types}, {sectionFunction, functions}, {sectionStart, []byte{0}}, {sectionCode, body}},
		"nothing but data": {{sectionData, []byte{0}}},
		"no code":          {{sectionType, types}, {sectionFunction, functions}},
	} {
		_, err := withStart(module(sections...), code)
		assert.ErrorIs(t, err, errStart, name)
	}
	_, err = withStart(nil, code)
	assert.Error(t, err)
}
