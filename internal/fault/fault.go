// Package fault holds the one error type that every layer of the client speaks:
// a code that programs switch on, a sentence that people read, and what to do.
//
// pkg/kiiweb publishes these names as its own; they live here so that the layers
// below it can return them without importing it.
package fault

import (
	"errors"
	"strings"
)

// Code names a kind of failure. The set is the one that the JavaScript API documents.
type Code string

// The codes. Each has a default remedy in remedies.go.
const (
	InvalidArgument  Code = "INVALID_ARGUMENT"
	NotLoggedIn      Code = "NOT_LOGGED_IN"
	Unauthorized     Code = "UNAUTHORIZED"
	Forbidden        Code = "FORBIDDEN"
	NotFound         Code = "NOT_FOUND"
	Conflict         Code = "CONFLICT"
	EndpointNotReady Code = "ENDPOINT_NOT_READY"
	PushTooLarge     Code = "PUSH_TOO_LARGE"
	RateLimited      Code = "RATE_LIMITED"
	ServerError      Code = "SERVER_ERROR"
	BadResponse      Code = "BAD_RESPONSE"
	Network          Code = "NETWORK"
	Timeout          Code = "TIMEOUT"
	Aborted          Code = "ABORTED"
	Closed           Code = "CLOSED"
	BadCredentials   Code = "BAD_CREDENTIALS"
	Displaced        Code = "DISPLACED"
	Revoked          Code = "REVOKED"
	ProtocolError    Code = "PROTOCOL_ERROR"
	ProtocolVersion  Code = "PROTOCOL_VERSION"
	PacketTooLarge   Code = "PACKET_TOO_LARGE"
	QueueFull        Code = "QUEUE_FULL"
	Insecure         Code = "INSECURE"
	WasmLoad         Code = "WASM_LOAD"
	Crashed          Code = "CRASHED"
	Unsupported      Code = "UNSUPPORTED"
)

// Error is a failure of the client.
type Error struct {
	Code    Code
	Message string // one sentence: what happened
	Remedy  string // one sentence: what to do about it

	Status     int    // HTTP status, 0 when no HTTP answer is behind the error
	KiiCode    string // errorCode of the server's JSON body, "" when there is none
	KiiMessage string // message of the server's JSON body, whole, "" when there is none
	ReasonCode int    // MQTT 5 reason code or 3.x return code, -1 when there is none
	Retryable  bool   // the same call may succeed later without a change by the caller
	RetryAfter int    // seconds the server asked to wait, 0 when it did not say

	Cause error // the error below, nil when there is none
}

// New makes an Error with the code's default remedy and retryability.
func New(code Code, message string) *Error {
	d := defaults[code]
	return &Error{Code: code, Message: message, Remedy: d.remedy, Retryable: d.retryable, ReasonCode: -1}
}

// Wrap is New with a cause.
func Wrap(code Code, message string, cause error) *Error {
	e := New(code, message)
	e.Cause = cause
	return e
}

// WithReason sets the MQTT reason code and returns e.
func (e *Error) WithReason(reason byte) *Error {
	e.ReasonCode = int(reason)
	return e
}

// Error gives the message, and the cause's where there is one, unless the message ends with it.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	cause := e.Cause.Error()
	if below, ok := e.Cause.(*Error); ok && strings.HasSuffix(e.Message, ": "+below.Message) {
		return e.Message + cause[len(below.Message):]
	}
	return e.Message + ": " + cause
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, &Error{Code: c}) match on the code alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf gives the code of err, or "" when no *Error is in its chain.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
