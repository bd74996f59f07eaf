package main

import (
	"bytes"
	"errors"
	"fmt"
)

// The sections of a WebAssembly module that the build looks into, by their numbers.
// https://webassembly.github.io/spec/core/binary/modules.html
const (
	sectionCustom = 0
	sectionImport = 2
	sectionCode   = 10
	sectionData   = 11
)

var wasmHeader = []byte("\x00asm\x01\x00\x00\x00")

// section is one section of a WebAssembly module.
type section struct {
	id   byte
	body []byte
}

// parseSections cuts a WebAssembly module into its sections. The bodies are parts of module.
func parseSections(module []byte) ([]section, error) {
	if !bytes.HasPrefix(module, wasmHeader) {
		return nil, errors.New("not a WebAssembly module of version 1")
	}
	r := wasmReader{data: module[len(wasmHeader):]}
	var sections []section
	for len(r.data) > 0 {
		id := r.byte()
		sections = append(sections, section{id, r.bytes(r.uint())})
		if r.err != nil {
			return nil, r.err
		}
	}
	return sections, nil
}

// joinSections is the opposite of parseSections.
func joinSections(sections []section) []byte {
	module := bytes.Clone(wasmHeader)
	for _, s := range sections {
		module = appendUint(append(module, s.id), uint64(len(s.body)))
		module = append(module, s.body...)
	}
	return module
}

// wasmReader reads what WebAssembly modules are made of. After the first error all that it gives is zero.
type wasmReader struct {
	data []byte
	err  error
}

func (r *wasmReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.data = nil
}

func (r *wasmReader) byte() byte {
	b := r.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// expect reads one byte that has to be b.
func (r *wasmReader) expect(b byte) {
	if got := r.byte(); got != b {
		r.fail("%#x where %#x belongs", got, b)
	}
}

func (r *wasmReader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.fail("the module ends early")
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *wasmReader) name() string { return string(r.bytes(r.uint())) }

// uint reads an unsigned LEB128 number.
func (r *wasmReader) uint() uint64 {
	v, _ := r.leb()
	return v
}

// int reads a signed LEB128 number: its highest bit stands for all above it.
func (r *wasmReader) int() int64 {
	v, bits := r.leb()
	if bits < 64 {
		unused := 64 - bits
		return int64(v<<unused) >> unused
	}
	return int64(v)
}

// leb reads a number of seven bits a byte, and gives how many bits it had.
func (r *wasmReader) leb() (v uint64, bits int) {
	for bits < 64 {
		b := r.byte()
		v |= uint64(b&0x7f) << bits
		bits += 7
		if b < 0x80 {
			return v, bits
		}
	}
	r.fail("a number of more than 64 bits")
	return 0, 0
}

func appendUint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendInt(b []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
