package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
)

// namedFlag finds the flag that an error of package flag is about.
var namedFlag = regexp.MustCompile(` for flag -([\w-]+): `)

// parseFlags parses args. Help is written where it is asked for. A mistake is told in its own
// line, with what the flag takes: the list of all flags would push it off the screen.
func parseFlags(flags *flag.FlagSet, args []string, help func(io.Writer), stderr io.Writer) error {
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	err := flags.Parse(args)
	flags.SetOutput(stderr)
	switch {
	case err == flag.ErrHelp:
		help(stderr)
		flags.PrintDefaults()
	case err != nil:
		fmt.Fprintln(stderr, err)
		describeFlag(flags, err, stderr)
		fmt.Fprintln(stderr, "-h lists all flags.")
	}
	return err
}

// describeFlag writes what the flag takes that err names, if it names one.
func describeFlag(flags *flag.FlagSet, err error, to io.Writer) {
	m := namedFlag.FindStringSubmatch(err.Error())
	if m == nil {
		return
	}
	f := flags.Lookup(m[1])
	one := flag.NewFlagSet("", flag.ContinueOnError)
	one.SetOutput(to)
	one.Var(f.Value, f.Name, f.Usage)
	one.Lookup(f.Name).DefValue = f.DefValue
	one.PrintDefaults()
}

// help introduces the list of the cloud's flags.
func help(to io.Writer) {
	fmt.Fprintln(to, "Runs the cloud. Other commands, as the first argument, each with -h:")
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		fmt.Fprintf(to, "  %s\t%s\n", name, commands[name].summary)
	}
	fmt.Fprintln(to, "Flags; each may come from the environment as well, -token-ttl as KIICLOUD_TOKEN_TTL:")
}
