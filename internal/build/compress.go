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
	writer func(io.Writer) (io.WriteCloser, error)
}

var compressions = []compression{
	{".br", "brotli 11/24", func(w io.Writer) (io.WriteCloser, error) {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: 11, LGWin: 24}), nil
	}},
	{".gz", "gzip 9", func(w io.Writer) (io.WriteCloser, error) {
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
	var out bytes.Buffer
	w, err := c.writer(&out)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}
