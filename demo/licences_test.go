package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write THIRD_PARTY.txt anew")

// TestThirdParty: THIRD_PARTY.txt has the licences of all that is linked into the program, and nothing else.
func TestThirdParty(t *testing.T) {
	want := thirdPartyText(t)
	if *update {
		require.NoError(t, os.WriteFile("THIRD_PARTY.txt", []byte(want), 0o644))
		return
	}
	assert.True(t, want == thirdParty, "demo/THIRD_PARTY.txt is not up to date: run make docs")
}

// thirdPartyText has each text once, below the names of what it is for.
func thirdPartyText(t *testing.T) string {
	t.Helper()
	type notice struct{ names, text string }
	var notices []notice
	for _, l := range linkedModules(t) {
		for _, file := range l.files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			text := strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n"))
			i := slices.IndexFunc(notices, func(n notice) bool { return n.text == text })
			if i < 0 {
				i, notices = len(notices), append(notices, notice{text: text})
			}
			notices[i].names += l.name + " (" + filepath.Base(file) + ")\n"
		}
	}
	rule := strings.Repeat("=", 80) + "\n"
	var b strings.Builder
	b.WriteString("kiicloud contains the following, under their own licences.\n")
	for _, n := range notices {
		b.WriteString("\n" + rule + n.names + rule + "\n" + n.text + "\n")
	}
	return b.String()
}

// licensed is a module with the files that tell its licence.
type licensed struct {
	name  string
	files []string
}

var licenceFile = regexp.MustCompile(`^(LICEN[CS]E|COPYING|NOTICE|PATENTS)`)

// linkedModules asks the go command what is linked into the program as deploy/Dockerfile builds it. Go itself comes first.
func linkedModules(t *testing.T) []*licensed {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-json=Dir,Module", ".")
	command.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	require.NoError(t, err, "%s", complaint.String())
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)

	all := []*licensed{{name: "Go", files: licencesIn(t, strings.TrimSpace(string(goroot)))}}
	at := map[string]*licensed{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		l := at[p.Module.Path]
		if l == nil {
			l = &licensed{name: p.Module.Path + " " + p.Module.Version, files: licencesIn(t, p.Module.Dir)}
			require.NotEmpty(t, l.files, "the licence of %s", p.Module.Path)
			at[p.Module.Path], all = l, append(all, l)
		}
		for dir := p.Dir; dir != p.Module.Dir; dir = filepath.Dir(dir) { // what a package has from elsewhere
			for _, file := range licencesIn(t, dir) {
				if !slices.Contains(l.files, file) {
					l.files = append(l.files, file)
				}
			}
		}
	}
	require.Greater(t, len(all), 10)
	slices.SortFunc(all[1:], func(a, b *licensed) int { return strings.Compare(a.name, b.name) })
	for _, l := range all {
		slices.Sort(l.files)
	}
	return all
}

func licencesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if !e.IsDir() && licenceFile.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}
