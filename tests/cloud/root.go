package cloud

import (
	"os"
	"path/filepath"
)

// Root is the folder of the module, found from the working folder of the test.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			panic("no go.mod above the working folder")
		}
		dir = up
	}
}
