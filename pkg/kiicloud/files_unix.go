//go:build linux || darwin

package kiicloud

import (
	"math"
	"syscall"
)

// openFiles is how many files this process may have open at once, which Go has raised to what it may be raised to; 0: any number.
func openFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur > math.MaxInt32 {
		return 0
	}
	return int(l.Cur)
}
