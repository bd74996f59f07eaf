package kiicloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Backup copies a data folder into a new one, as it is at one moment, also while a cloud works
// on it: the database, the certificates, the secrets. A cloud that is started on the copy goes on
// from there. Of a cloud on PostgreSQL it copies all but the database, which has its own tools.
// It returns the names of the files that were written.
func Backup(ctx context.Context, dataDir, to string) (files []string, err error) {
	if err := os.Mkdir(to, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the backup, which must be a new one: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(to))
		}
	}()
	err = store.BackupSQLite(ctx, dataDir, to)
	switch {
	case err == nil:
		files = append(files, store.SQLiteFile)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, name := range []string{secretFile, adminFile, caFile, caKeyFile} {
		b, err := os.ReadFile(filepath.Join(dataDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = writeWhole(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			return files, fmt.Errorf("copy %s: %w", name, err)
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s is not a cloud's data folder: it has neither a database nor secrets", dataDir)
	}
	return files, nil
}
