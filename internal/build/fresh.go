package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// stateFile remembers, in js/dist, what each built file was made from.
const stateFile = ".build.json"

// state tells what is fresh: a file is when it is there, unchanged, and was made from
// the same inputs. Content counts; times do not.
type state struct {
	path  string
	mu    sync.Mutex
	Files map[string]made `json:"files"`
}

type made struct {
	From string `json:"from"` // hash of the inputs
	Hash string `json:"hash"` // hash of the file
}

// loadState reads what the build before left. Without it, or when it cannot be read, nothing is fresh.
func loadState(dist string) *state {
	s := &state{path: filepath.Join(dist, stateFile)}
	if raw, err := os.ReadFile(s.path); err == nil {
		_ = json.Unmarshal(raw, s)
	}
	if s.Files == nil {
		s.Files = make(map[string]made)
	}
	return s
}

// fresh tells whether all of the files, paths of built files, were made from the inputs.
func (s *state) fresh(from string, files ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range files {
		known, ok := s.Files[filepath.Base(f)]
		if !ok || known.From != from {
			return false
		}
		if hash, err := hashFile(f); err != nil || hash != known.Hash {
			return false
		}
	}
	return true
}

// wrote notes that the files were made from the inputs, and tells the user.
func (s *state) wrote(from string, files ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range files {
		hash, err := hashFile(f)
		if err != nil {
			return err
		}
		s.Files[filepath.Base(f)] = made{From: from, Hash: hash}
		announce(f)
	}
	raw, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(s.path, raw, 0o644)
}

// announce prints a line about a file that was written.
func announce(path string) {
	if info, err := os.Stat(path); err == nil {
		fmt.Printf("wrote js/dist/%-18s %9d bytes\n", filepath.Base(path), info.Size())
	}
}

// put writes data to path unless it is there already, and tells whether it wrote.
// It replaces the file in one step, so that a server never sends half of it.
func put(path string, data []byte) (wrote bool, err error) {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return false, err
	}
	return true, os.Rename(temporary, path)
}

// hashOf gives the SHA-256 of the parts, in hex. Each part counts with its length.
func hashOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
