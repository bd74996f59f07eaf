package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// project is where things are, and the toolchain that builds them.
type project struct {
	root    string
	version string   // of the npm package
	goEnv   []string // what to add to the environment of go commands
	goName  string   // the toolchain's version, such as go1.26.8
}

// at gives a path below the project's root.
func (p *project) at(elem ...string) string {
	return filepath.Join(append([]string{p.root}, elem...)...)
}

// dist gives the path of a built file.
func (p *project) dist(name string) string { return p.at("js", "dist", name) }

// run starts a command in the project's root and gives its standard output.
func (p *project) run(env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.root
	cmd.Env = append(append(os.Environ(), p.goEnv...), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// findProject looks around from the working directory and settles on a toolchain.
func findProject() (*project, error) {
	var p project
	mod, err := p.goValues("GOMOD")
	if err != nil {
		return nil, err
	}
	p.root = filepath.Dir(mod[0])
	if p.version, err = packageVersion(p.at("js", "package.json")); err != nil {
		return nil, err
	}
	return &p, p.pickToolchain()
}

// pickToolchain keeps to the Go that is running when its wasm_exec.js is the project's:
// module and glue must come from one toolchain. Otherwise the go command is told to use
// the toolchain that go.mod names, which it fetches if it has to.
func (p *project) pickToolchain() error {
	same, err := p.gluesMatch()
	if err != nil || same {
		return err
	}
	named, err := p.run(nil, "go", "list", "-m", "-f", "go{{.GoVersion}}")
	if err != nil {
		return err
	}
	p.goEnv = []string{"GOTOOLCHAIN=" + strings.TrimSpace(string(named))}
	if same, err = p.gluesMatch(); err == nil && !same {
		err = errors.New("wasm_exec.js is not the one of " + p.goName + "; copy it from that toolchain's lib/wasm")
	}
	return err
}

func (p *project) gluesMatch() (bool, error) {
	values, err := p.goValues("GOVERSION", "GOROOT")
	if err != nil {
		return false, err
	}
	p.goName = values[0]
	theirs, err := os.ReadFile(filepath.Join(values[1], "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return false, err
	}
	ours, err := os.ReadFile(p.at("wasm_exec.js"))
	return bytes.Equal(theirs, ours), err
}

// goValues asks go env.
func (p *project) goValues(names ...string) ([]string, error) {
	out, err := p.run(nil, "go", append([]string{"env"}, names...)...)
	if err != nil {
		return nil, err
	}
	values := strings.Split(strings.TrimRight(string(out), "\r\n"), "\n")
	if len(values) != len(names) {
		return nil, fmt.Errorf("go env %s gave %d values", strings.Join(names, " "), len(values))
	}
	for i, v := range values {
		values[i] = strings.TrimSpace(v)
	}
	return values, nil
}

func packageVersion(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var p struct{ Version string }
	if err := json.Unmarshal(raw, &p); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if p.Version == "" {
		return "", fmt.Errorf("%s: no version", path)
	}
	return p.Version, nil
}
