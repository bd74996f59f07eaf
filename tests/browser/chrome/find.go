package chrome

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// executables are the names under which Chromium is looked for on PATH.
var executables = []string{"chromium", "chromium-browser", "google-chrome"}

var errMissing = errors.New("no Chromium found: run `make deps`, which installs it, or set CHROMIUM to its path")

// Find gives the path of Chromium: the environment variable CHROMIUM, or the first of
// the usual names on PATH.
func Find() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return exec.LookPath(path)
	}
	for _, name := range executables {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errMissing
}

// Root is the folder of go.mod, above the working folder.
func Root() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod above the working folder")
		}
		folder = parent
	}
}
