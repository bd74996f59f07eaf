package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// command is something else that the program does than running the cloud: its first argument.
type command struct {
	summary string
	run     func(args []string, stdout, stderr io.Writer) int
}

var commands = map[string]command{
	"backup":   {"copy a data folder, also while a cloud runs on it", backup},
	"forget":   {"remove an app's users, things, installations and all else that it has stored", forget},
	"licences": {"print the licences of what the program contains", licences},
	"move":     {"copy the database of a data folder to PostgreSQL", move},
	"version":  {"say what the program was built from", version},
}

func backup(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("backup", flag.ContinueOnError)
	data := flags.String("data", "./"+kiicloud.DefaultDataDir, "the data `folder`")
	to := flags.String("to", "", "the `folder` to make for the copy")
	if code, ok := parseCommand(flags, args, stderr); !ok {
		return code
	}
	if *to == "" {
		fmt.Fprintln(stderr, "-to is missing: the folder to make for the copy")
		return exitUsage
	}
	files, err := kiicloud.Backup(context.Background(), *data, *to)
	if err != nil {
		fmt.Fprintln(stderr, "the backup failed:", err)
		return exitFailed
	}
	fmt.Fprintf(stdout, "%s: %s\n", *to, strings.Join(files, ", "))
	return 0
}

func move(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("move", flag.ContinueOnError)
	data := flags.String("data", "./"+kiicloud.DefaultDataDir, "the data `folder`")
	to := flags.String("store", "", "the `address` of an empty database: postgres://user:password@host/database")
	if code, ok := parseCommand(flags, args, stderr); !ok {
		return code
	}
	if err := kiicloud.FromEnvironment(flags, os.LookupEnv); err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	if *to == "" {
		fmt.Fprintln(stderr, "-store is missing: the database to move to")
		return exitUsage
	}
	counts, err := store.MoveToPostgres(context.Background(), *data, *to)
	if err != nil {
		fmt.Fprintln(stderr, "nothing was moved:", err)
		return exitFailed
	}
	for _, c := range counts {
		fmt.Fprintf(stdout, "%s: %d\n", c.Table, c.Rows)
	}
	return 0
}

func version(args []string, stdout, stderr io.Writer) int {
	if code, ok := parseCommand(flag.NewFlagSet("version", flag.ContinueOnError), args, stderr); !ok {
		return code
	}
	b := kiicloud.ThisBuild()
	fmt.Fprintln(stdout, strings.Join(strings.Fields("kiicloud "+b.Version+" "+b.Revision+" "+b.Go), " "))
	return 0
}

// parseCommand parses a command's flags; ok is false where the command ends with code.
func parseCommand(flags *flag.FlagSet, args []string, stderr io.Writer) (code int, ok bool) {
	err := parseFlags(flags, args, func(to io.Writer) { fmt.Fprintf(to, "Flags of %s:\n", flags.Name()) }, stderr)
	switch {
	case err == flag.ErrHelp:
		return 0, false
	case err != nil:
		return exitUsage, false
	case flags.NArg() > 0:
		fmt.Fprintln(stderr, "unexpected argument", flags.Arg(0))
		return exitUsage, false
	}
	return 0, true
}
