//go:build !linux && !windows

package pgtest

import "syscall"

// procAttr runs a process as ids, where given.
func procAttr(ids *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: ids}
}

func own(f func()) { f() }
