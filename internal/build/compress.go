package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/andybalholm/brotli"
)

// compressed lists what servers send often enough to be compressed beforehand.
var compressed = []string{
	wasmFile, moduleFile, scriptFile, workerFile, mainHostFile, tabsFile, pushFile, debugFile, "serviceworker.mjs", "serviceworker.js", "compat.mjs", "compat.js", "notify.mjs", "notify.js",
	"wasm_exec.js",
}

// compression is one content coding at its smallest.
type compression struct {
	suffix string
	level  string // changes when the outcome would
	writer func(io.Writer) (compressor, error)
}

type compressor interface {
	io.WriteCloser
	Flush() error // ends the block that it is at
}

// How brotli's encoder divides a file into blocks hangs on next to nothing: of the names that a build may have, one in eight made the same
// loader 50 bytes larger. Where it has to end a block before the last bytes, it divides what is before in another way. So files of up to
// twoWays bytes are encoded in both, and the smaller copy counts.
const (
	twoWays   = 256 << 10
	lastBytes = 5
)

var compressions = []compression{
	{".br", "brotli 11/24, in two ways", func(w io.Writer) (compressor, error) {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: 11, LGWin: 24}), nil
	}},
	{".gz", "gzip 9", func(w io.Writer) (compressor, error) {
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	}},
}

// compressAll writes the compressed copies, all at once: brotli takes its time.
func compressAll(p *project, s *state) error {
	var wg sync.WaitGroup
	errs := make(chan error, len(compressed)*len(compressions))
	for _, name := range compressed {
		data, err := os.ReadFile(p.dist(name))
		if err != nil {
			return err
		}
		for _, c := range compressions {
			wg.Go(func() { errs <- c.file(s, p.dist(name)+c.suffix, data) })
		}
	}
	wg.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

// file writes data, compressed, to path unless that is fresh.
func (c compression) file(s *state, path string, data []byte) error {
	from := hashOf(data, []byte(c.level))
	if s.fresh(from, path) {
		return nil
	}
	small, err := c.bytes(data)
	if err != nil {
		return err
	}
	// Also when the bytes are the same: servers compare the times of a file and its copy.
	if err := os.WriteFile(path, small, 0o644); err != nil {
		return err
	}
	return s.wrote(from, path)
}

func (c compression) bytes(data []byte) ([]byte, error) {
	small, err := c.inBlocks(data)
	if err != nil || len(data) > twoWays || len(data) <= lastBytes {
		return small, err
	}
	last := len(data) - lastBytes
	other, err := c.inBlocks(data[:last], data[last:])
	if len(other) < len(small) {
		small = other
	}
	return small, err
}

// inBlocks compresses parts, each of which begins a block.
func (c compression) inBlocks(parts ...[]byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := c.writer(&out)
	if err != nil {
		return nil, err
	}
	for i, part := range parts {
		if i > 0 {
			err = w.Flush()
		}
		if _, wrong := w.Write(part); wrong != nil {
			err = errors.Join(err, wrong)
		}
	}
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
