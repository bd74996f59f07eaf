package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
)

// thirdParty is what the licences of others' code in the program ask to be handed on with it. make docs writes it.
//
//go:embed THIRD_PARTY.txt
var thirdParty string

func licences(args []string, stdout, stderr io.Writer) int {
	if code, ok := parseCommand(flag.NewFlagSet("licences", flag.ContinueOnError), args, stderr); !ok {
		return code
	}
	if _, err := io.WriteString(stdout, thirdParty); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return 0
}
