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

// AppData tells what an app has stored where c says (DataDir, Store and Engine count); with remove it is removed: users, things and their
// tokens, installations and what waits in their queues, topics, objects, subscriptions. An error beside rows says that not all was. With the embedded engine no cloud may be running on
// the store; with RabbitMQ they may, and see to the queues of the installations, but should not serve the app any more.
func AppData(ctx context.Context, c Config, appID string, remove bool) (rows []store.Rows, err error) {
	if c.Store != "sqlite" && !c.onPostgres() {
		return nil, fmt.Errorf("-store %q is not known: there are sqlite and postgres://user:password@host/database", scheme(c.Store))
	}
	if err := c.checkEngine(); err != nil {
		return nil, err
	}
	if !c.onPostgres() {
		if _, err := os.Stat(filepath.Join(c.DataDir, store.SQLiteFile)); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database in %s: -data names the folder", c.DataDir)
		}
	}
	s, err := c.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if remove {
		return s.DeleteApp(ctx, appID)
	}
	return s.CountApp(ctx, appID)
}
