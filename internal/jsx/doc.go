// Package jsx is the little that syscall/js needs to be safe: calls that return an
// error where JavaScript throws, promises both ways, functions with an owner that
// releases them, strict reading of arguments, errors, bytes and JSON.
//
// It exists for GOOS=js alone; elsewhere the package is empty. Two rules of
// syscall/js hold for everything in it: a function that JavaScript calls must not
// block (start a goroutine, or return NewPromise), and a value that comes from the
// page is only touched through Get, Set, Call, New and Invoke of this package,
// since a getter or a proxy that throws would otherwise end the Go program.
package jsx
