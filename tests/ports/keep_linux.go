package ports

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
)

// keep binds a port of 127.0.0.1 without listening on it: the system gives no outgoing connection such a one. Servers can have it all the same,
// since they allow, as this does, that another socket has their address (SO_REUSEADDR, socket(7)).
func keep(port int) (io.Closer, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	kept := os.NewFile(uintptr(fd), "port "+strconv.Itoa(port))
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return kept, nil
}
