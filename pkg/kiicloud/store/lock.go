package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ErrLocked means that another process uses the data folder, or the database.
var ErrLocked = errors.New("the store is in use")

// lockDir takes the data folder for this process. The operating system holds the
// lock, so it ends with the process however that ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data folder: %w", err)
	}
	held, err := lockFile(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	if !held {
		owner, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		who := "another process"
		if pid := strings.TrimSpace(string(owner)); pid != "" {
			who = "process " + pid
		}
		return nil, fmt.Errorf("%w: %s has %s open; stop it, or give this one another folder with -data", ErrLocked, who, dir)
	}
	if err := f.Truncate(0); err == nil { // the pid is there for the message alone
		fmt.Fprintln(f, os.Getpid())
	}
	return f, nil
}
