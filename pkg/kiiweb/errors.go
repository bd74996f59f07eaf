package kiiweb

import "github.com/kiiweb/kiiweb/internal/fault"

// Error is what every method of this package fails with: a code to switch on, a
// sentence to read and a remedy. Match a code with errors.Is(err, &Error{Code: c})
// or with CodeOf. Beside Code, Message and Remedy it has, where there are such: Status, the HTTP status; KiiCode and
// KiiMessage of the server's answer; ReasonCode, MQTT's, else -1; Retryable, whether the same call may succeed later;
// RetryAfter, the seconds that the server asked to wait; Cause, the error below.
type Error = fault.Error

// Code names a kind of failure.
type Code = fault.Code

// The codes. What to do about one is the error's Remedy; docs/errors.md has them all.
const (
	CodeInvalidArgument  = fault.InvalidArgument
	CodeNotLoggedIn      = fault.NotLoggedIn
	CodeUnauthorized     = fault.Unauthorized
	CodeForbidden        = fault.Forbidden
	CodeNotFound         = fault.NotFound
	CodeConflict         = fault.Conflict
	CodeEndpointNotReady = fault.EndpointNotReady
	CodePushTooLarge     = fault.PushTooLarge
	CodeRateLimited      = fault.RateLimited
	CodeServerError      = fault.ServerError
	CodeBadResponse      = fault.BadResponse
	CodeNetwork          = fault.Network
	CodeTimeout          = fault.Timeout
	CodeAborted          = fault.Aborted
	CodeClosed           = fault.Closed
	CodeBadCredentials   = fault.BadCredentials
	CodeDisplaced        = fault.Displaced
	CodeRevoked          = fault.Revoked
	CodeProtocolError    = fault.ProtocolError
	CodeProtocolVersion  = fault.ProtocolVersion
	CodePacketTooLarge   = fault.PacketTooLarge
	CodeQueueFull        = fault.QueueFull
	CodeInsecure         = fault.Insecure
	CodeUnsupported      = fault.Unsupported
)

// CodeOf gives the code of err, or "" when err is not one of this package's.
func CodeOf(err error) Code { return fault.CodeOf(err) }

func invalid(message string) *Error { return fault.New(fault.InvalidArgument, message) }
