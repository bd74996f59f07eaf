package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// budget is the most that a file may weigh in bytes, compressed with brotli, which is
// what a browser downloads.
type budget struct {
	file  string
	limit int64
}

// The budgets. An empty Go program is 302,000 bytes of the first, with syscall/js 319,000; a new dependency that
// does not fit has to be argued for, and the number changed here. 10 << 10 is what each
// part of the loader may weigh; what not every page needs is a file of its own.
var budgets = []budget{
	{wasmFile, 590_000},
	{moduleFile, 10 << 10},
	{scriptFile, 10 << 10},
	{workerFile, 10_000},
	{mainHostFile, 10_000},
	{tabsFile, 10_240},
	{pushFile, 4_000},
	{debugFile, 5_000},
	{"serviceworker.mjs", 14_000}, // with all of kiiweb.mjs, mainhost.mjs and push.mjs in it
	{"serviceworker.js", 14_000},  // the same
	{"compat.mjs", 10_000},        // beside kiiweb.mjs
	{"compat.js", 17_000},         // with all of kiiweb.js in it
	{"notify.mjs", 4_000},
	{"notify.js", 4_000},
}

// reportSizes prints each file's sizes and gives an error that names what is over its budget.
func reportSizes(w io.Writer, dist string) error {
	var over []string
	fmt.Fprintf(w, "%-17s %10s %9s %9s %9s\n", "", "raw", "gzip", "brotli", "budget")
	for _, b := range budgets {
		var sizes [3]int64
		for i, suffix := range []string{"", ".gz", ".br"} {
			info, err := os.Stat(filepath.Join(dist, b.file+suffix))
			if err != nil {
				return err
			}
			sizes[i] = info.Size()
		}
		fmt.Fprintf(w, "%-17s %10d %9d %9d %9d\n", b.file, sizes[0], sizes[1], sizes[2], b.limit)
		if excess := sizes[2] - b.limit; excess > 0 {
			over = append(over, fmt.Sprintf("%s is %d bytes over its budget", b.file, excess))
		}
	}
	if over != nil {
		return fmt.Errorf("%s", strings.Join(over, "; "))
	}
	return nil
}
