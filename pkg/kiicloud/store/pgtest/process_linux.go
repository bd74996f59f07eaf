package pgtest

import (
	"runtime"
	"syscall"
)

// procAttr runs a process as ids, where given, and ends it with the test process.
func procAttr(ids *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: ids, Pdeathsig: syscall.SIGQUIT}
}

// own runs f on a thread of its own, which ends with f: Pdeathsig means the thread.
func own(f func()) {
	runtime.LockOSThread()
	f()
}
