package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

// forget removes what an app has stored. It says first what that is, and does it only when it is told the app twice.
func forget(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("forget", flag.ContinueOnError)
	var c kiicloud.Config
	flags.StringVar(&c.DataDir, "data", "./"+kiicloud.DefaultDataDir, "the data `folder`")
	flags.StringVar(&c.Store, "store", "sqlite", "sqlite, in the data folder, or the `address` of the database: postgres://user:password@host/database")
	flags.StringVar(&c.Engine, "engine", "embedded", "the `engine` of the clouds on that store, as they have it: with RabbitMQ they may run meanwhile")
	id := flags.String("app-id", "", "the `id` of the app")
	confirm := flags.String("confirm", "", "the same `id` once more: without it nothing is removed, and what would be is listed")
	if code, ok := parseCommand(flags, args, stderr); !ok {
		return code
	}
	if err := kiicloud.FromEnvironment(flags, os.LookupEnv); err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	switch {
	case *id == "":
		fmt.Fprintln(stderr, "-app-id is missing: the app whose data is to go")
		return exitUsage
	case *confirm != "" && *confirm != *id:
		fmt.Fprintf(stderr, "nothing was removed: -confirm is %q, and -app-id %q\n", *confirm, *id)
		return exitUsage
	}
	rows, err := kiicloud.AppData(context.Background(), c, *id, *confirm != "")
	for _, r := range rows {
		fmt.Fprintf(stdout, "%s: %d\n", r.Table, r.Count)
	}
	if err != nil {
		why := "the app's data was not removed:"
		if len(rows) > 0 && *confirm != "" {
			why = "that was removed, and there may be more; run this again:"
		}
		fmt.Fprintln(stderr, why, err)
		return exitFailed
	}
	switch {
	case len(rows) == 0:
		fmt.Fprintf(stdout, "the app %s has nothing here\n", *id)
	case *confirm != "":
		fmt.Fprintf(stdout, "all of that was removed\n")
	default:
		fmt.Fprintf(stdout, "nothing was removed yet: -confirm %s does it\n", *id)
	}
	return 0
}
