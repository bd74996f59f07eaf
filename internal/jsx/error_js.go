package jsx

import (
	"context"
	"errors"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// Error is a value that JavaScript threw, or rejected a promise with.
type Error struct {
	Value   js.Value
	Name    string // "TypeError", "AbortError"; "" when the value was no Error
	Message string
}

// Error gives the name and the message.
func (e *Error) Error() string {
	if e.Name == "" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

var (
	errorClass  = global.Get("Error")
	stringClass = global.Get("String")
	kiiError    js.Value // the loader's class, or undefined
)

// UseErrorClass makes ToJS construct class, called as new class(message, fields), where
// fields is the plain object of what ToJS sets. Until it is called, ToJS makes a plain
// Error with the same properties.
func UseErrorClass(class js.Value) { kiiError = class }

// FromJS makes a Go error of something that JavaScript threw.
func FromJS(v js.Value) error {
	e := &Error{Value: v}
	if TypeOf(v) == js.TypeObject {
		e.Name, e.Message = textOf(v, "name"), textOf(v, "message")
	}
	if e.Name == "" && e.Message == "" {
		if s, ok := quietly(stringClass, v); ok {
			e.Message = s.String()
		} else {
			e.Message = "a value that has no text was thrown"
		}
	}
	return e
}

func textOf(v js.Value, property string) string {
	p, ok := quietly(reflectGet, v, property)
	if !ok || TypeOf(p) != js.TypeString {
		return ""
	}
	return p.String()
}

// quietly is Invoke that does not look at what is thrown: a proxy may throw itself
// whenever somebody asks what it is.
func quietly(f js.Value, args ...any) (result js.Value, ok bool) {
	defer func() { _ = recover() }()
	return f.Invoke(args...), true
}

// ToJS makes of err the error that the JavaScript API documents: name "KiiError", code,
// retryable, remedy, and where they are known status, kiiCode, kiiMessage, reasonCode,
// retryAfter (seconds) and cause. An error without a code becomes ABORTED or TIMEOUT when a
// context ended, and CRASHED otherwise.
func ToJS(err error) js.Value {
	f := asFault(err)
	fields := map[string]any{"code": string(f.Code), "retryable": f.Retryable, "remedy": f.Remedy}
	if f.Status != 0 {
		fields["status"] = f.Status
	}
	if f.KiiCode != "" {
		fields["kiiCode"] = f.KiiCode
	}
	if f.KiiMessage != "" {
		fields["kiiMessage"] = f.KiiMessage
	}
	if f.ReasonCode >= 0 {
		fields["reasonCode"] = f.ReasonCode
	}
	if f.RetryAfter != 0 {
		fields["retryAfter"] = f.RetryAfter
	}
	if f.Cause != nil {
		fields["cause"] = causeToJS(f.Cause)
	}
	return construct(f.Message, js.ValueOf(fields))
}

// construct uses the loader's class, and a plain Error where there is none or it throws.
func construct(message string, fields js.Value) js.Value {
	if TypeOf(kiiError) == js.TypeFunction {
		if e, err := New(kiiError, message, fields); err == nil {
			return e
		}
	}
	e := errorClass.New(message)
	e.Set("name", "KiiError")
	global.Get("Object").Call("assign", e, fields)
	return e
}

func asFault(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, "The time allowed for the call is over.", err)
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Aborted, "The call was aborted.", err)
	}
	return fault.Wrap(fault.Crashed, "An unexpected error ended the call.", err)
}

// causeToJS gives what JavaScript threw back as it was, and any other error as an Error.
func causeToJS(err error) js.Value {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return ToJS(f)
	}
	if thrown, ok := errors.AsType[*Error](err); ok {
		return thrown.Value
	}
	return errorClass.New(err.Error())
}
