package session

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// causeKind says where the end of an attempt came from, and so which table rules.
type causeKind uint8

const (
	causeConnack    causeKind = iota // CONNACK refused; reason
	causeDisconnect                  // DISCONNECT was received; reason
	causeSuback                      // SUBACK refused; reason
	causeClosed                      // the transport ended; err, a *transport.CloseError or the network's
	causeDial                        // the transport did not open; err
	causeEndpoint                    // the Endpoint hook failed; err
	causeTimeout                     // a deadline passed; text says of what
	causeViolation                   // the server broke the protocol; reason and err
	causeExpired                     // the endpoint's time is over
	causeContest                     // closed again and again, as by another client with the same identifier
)

// cause is why an attempt or a connection ended.
type cause struct {
	kind   causeKind
	reason mqtt.ReasonCode
	// returned is the return code of a CONNACK before MQTT 5, which reason translates;
	// 0 for none.
	returned int
	text     string // the server's reason string, or what was awaited
	err      error

	at    time.Duration // when it happened, since the session was opened
	lived time.Duration // since CONNACK
	took  time.Duration // from the beginning of the dial to CONNACK, or to the end where none came

	answered   bool // something that was sent over the connection was answered
	unanswered bool // something was not
	renewing   bool // a renewal of a subscription was not
	doubted    bool // it is open whether the broker took the latest messages at QoS 0
}

// judge looks the cause up.
func judge(c cause) ruling {
	switch c.kind {
	case causeConnack:
		return lookup(connackRulings, c.reason, fault.ProtocolError)
	case causeDisconnect:
		return lookup(disconnectRulings, c.reason, fault.ProtocolError)
	case causeSuback:
		if r, ok := subackRulings.find(c.reason); ok {
			return r
		}
		return stop.ruling(fault.ProtocolError)
	case causeClosed:
		return judgeClose(c.err)
	case causeDial:
		return judgeDial(c.err)
	case causeEndpoint:
		return judgeEndpoint(c.err)
	case causeViolation:
		return lookup(violationRulings, c.reason, fault.ProtocolError)
	case causeExpired:
		return expired.ruling("")
	case causeContest:
		return contested.ruling(fault.Displaced)
	}
	return retry.ruling(fault.Timeout)
}

// lookup gives the ruling for reason. What the standard does not allow in the packet
// is a fault of the server, which a new connection may get over.
func lookup(rulings table[mqtt.ReasonCode], reason mqtt.ReasonCode, other fault.Code) ruling {
	if r, ok := rulings.find(reason); ok {
		return r
	}
	return retry.ruling(other)
}

// judgeClose rules on a transport that ended without a DISCONNECT before.
func judgeClose(err error) ruling {
	if c, ok := errors.AsType[*transport.CloseError](err); ok {
		for _, w := range closeTexts {
			if strings.Contains(c.Reason, w.on) {
				return w.do.ruling(w.code)
			}
		}
		if r, ok := closeRulings.find(c.Code); ok {
			return r
		}
		return retry.ruling(fault.Network)
	}
	return byCode(readRulings, err)
}

// judgeDial rules on a transport that did not open: by the HTTP status of a refused
// WebSocket handshake where it is known, else by the code.
func judgeDial(err error) ruling {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Status != 0 {
		if r, ok := statusRulings.find(f.Status); ok {
			return r
		}
		if f.Status >= 500 {
			return retry.ruling(fault.ServerError)
		}
	}
	return byCode(dialRulings, err)
}

// judgeEndpoint rules on a failure of the Endpoint hook. One that could not get a token
// just now may have one later.
func judgeEndpoint(err error) ruling {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == fault.Unauthorized && f.Retryable {
		return retry.ruling(f.Code)
	}
	return byCode(endpointRulings, err)
}

func byCode(rulings table[fault.Code], err error) ruling {
	if r, ok := rulings.find(fault.CodeOf(err)); ok {
		return r
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return retry.ruling(fault.Timeout)
	}
	return retry.ruling(fault.Network)
}

// wait gives the shortest wait before the next attempt: the ruling's, or what the
// server asked for.
func (r ruling) wait(c cause) time.Duration {
	if f, ok := errors.AsType[*fault.Error](c.err); ok && f.RetryAfter > 0 {
		return max(r.floor, min(time.Duration(min(f.RetryAfter, 1<<20))*time.Second, longestFloor))
	}
	return r.floor
}

// fault makes the error that users see. An error that a layer below made with the
// same code is handed on as it is.
func (r ruling) fault(c cause) *fault.Error {
	below, _ := errors.AsType[*fault.Error](c.err)
	if below != nil && below.Code == r.code {
		return below
	}
	e := fault.New(r.code, c.sentence())
	e.Cause = c.err
	e.Retryable = r.act == actRetry || r.act == actRefresh
	if r.remedy != "" {
		e.Remedy = r.remedy
	}
	if c.kind <= causeSuback || c.kind == causeViolation {
		e.ReasonCode = int(c.reason)
	}
	if c.returned != 0 {
		e.ReasonCode = c.returned
	}
	if below != nil {
		e.Status, e.KiiCode, e.KiiMessage, e.RetryAfter = below.Status, below.KiiCode, below.KiiMessage, below.RetryAfter
	}
	return e
}

// expiredText is the reason of a wait in which nothing is wrong.
const expiredText = "the endpoint has expired; a new one is fetched"

// sentence says what happened.
func (c cause) sentence() string {
	s := ""
	switch c.kind {
	case causeConnack:
		s = "the broker refused the connection: " + c.reason.String()
	case causeDisconnect:
		if c.reason == mqtt.MaximumConnectTime {
			return expiredText
		}
		s = "the broker ended the connection: " + c.reason.String()
	case causeSuback:
		s = "the broker refused the subscription: " + c.reason.String()
	case causeClosed:
		return "the connection was lost" + closeWords(c.err)
	case causeDial:
		return "the connection could not be opened"
	case causeEndpoint:
		return "the endpoint could not be fetched"
	case causeViolation:
		if c.reason == mqtt.BadAuthenticationMethod {
			return "the broker asks for an extended authentication"
		}
		if c.reason == mqtt.PacketTooLarge {
			return "the broker sent more in a packet than is accepted, and than could be passed over"
		}
		return "the broker broke the protocol"
	case causeExpired:
		return expiredText
	case causeContest:
		return "the broker has closed the connection time and again soon after it was accepted: another tab or device seems to use it"
	default:
		return c.text + " did not come in time"
	}
	if c.text != "" {
		s += " (" + c.text + ")"
	}
	return s
}

// closeWords gives the WebSocket close code and what the server said with it.
func closeWords(err error) string {
	c, ok := errors.AsType[*transport.CloseError](err)
	if !ok || c.Code == 0 {
		return ""
	}
	s := " (WebSocket close code " + strconv.Itoa(c.Code)
	if c.Reason != "" {
		s += ": " + c.Reason
	}
	return s + ")"
}
