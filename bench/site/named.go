package site

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// UseNames serves a module with the names of its functions in place of the shipped one, for
// profiles. It is the same code, some hundred kilobytes larger.
func (s *Site) UseNames(root string) error {
	shipped := filepath.Join(root, ".cache", "kiiweb.wasm")
	folder, err := os.MkdirTemp("", "kiiweb-bench-named-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	named := filepath.Join(folder, "kiiweb.wasm")
	command := exec.Command("go", "run", "./internal/build", "-names", named)
	command.Dir = root
	if said, err := command.CombinedOutput(); err != nil {
		return errors.New("building the module with names: " + string(said))
	}
	before, err := buildID(shipped)
	if err != nil {
		return err
	}
	after, err := buildID(named)
	if err != nil {
		return err
	}
	wasm, err := os.ReadFile(named)
	if err != nil {
		return err
	}
	for _, name := range []string{"kiiweb/mainhost.mjs", "kiiweb/worker.js"} { // they take their own module only
		script := s.files[name]
		s.files[name] = file{kind: script.kind, plain: bytes.ReplaceAll(script.plain, []byte(before), []byte(after))}
	}
	s.files["kiiweb/kiiweb.wasm"] = file{kind: kinds[".wasm"], plain: wasm}
	return nil
}

// buildID gives the part of a module's build id that the loader checks, as far as it does.
func buildID(path string) (string, error) {
	id, err := exec.Command("go", "tool", "buildid", path).Output()
	parts := strings.Split(strings.TrimSpace(string(id)), "/")
	last := parts[len(parts)-1]
	return last[:min(10, len(last))], err
}
