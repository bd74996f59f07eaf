package session

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// legal tells whether the strict codec lets a server send the code in that packet: then
// the table has to have an opinion about it.
func legal(t *testing.T, kind causeKind, code mqtt.ReasonCode) bool {
	t.Helper()
	var pkt []byte
	switch kind {
	case causeConnack:
		pkt = []byte{0x20, 3, 0, byte(code), 0}
	case causeDisconnect:
		pkt = []byte{0xE0, 1, byte(code)}
	case causeSuback:
		pkt = []byte{0x90, 4, 0, 1, 0, byte(code)}
	}
	return mqtt.Check(mqtt.V5, mqtt.FromServer, pkt) == nil
}

func TestPolicyOverAllReasonCodes(t *testing.T) {
	tables := map[causeKind]table[mqtt.ReasonCode]{
		causeConnack: connackRulings, causeDisconnect: disconnectRulings, causeSuback: subackRulings,
	}
	for kind, table := range tables {
		for n := range 256 {
			code := mqtt.ReasonCode(n)
			c := cause{kind: kind, reason: code}
			r := judge(c)
			if nothingWrong := kind == causeDisconnect && code == mqtt.MaximumConnectTime; nothingWrong {
				assert.Equal(t, expired.ruling(""), r)
				continue
			}
			require.NotEmpty(t, r.code, c.sentence())
			err := r.fault(c)
			assert.Equal(t, n, err.ReasonCode)
			assert.NotEmpty(t, err.Message)
			assert.NotEmpty(t, err.Remedy, err.Message)
			assert.Equal(t, r.act == actRetry || r.act == actRefresh, err.Retryable, err.Message)
			if r.act == actStop {
				assert.True(t, r.end.final(), err.Message)
			}
			_, listed := table.find(code)
			success := code < mqtt.UnspecifiedError && kind != causeDisconnect
			assert.Equal(t, legal(t, kind, code) && !success, listed, "%s, code 0x%02X", c.sentence(), n)
			if !listed {
				assert.Equal(t, fault.ProtocolError, r.code, "%s, code 0x%02X", c.sentence(), n)
			}
		}
	}
}

func TestPolicyOverAllPubackCodes(t *testing.T) {
	for n := range 256 {
		code := mqtt.ReasonCode(n)
		_, listed := pubackRulings.find(code)
		for _, kind := range []byte{0x40, 0x50} { // PUBACK and PUBREC
			legal := mqtt.Check(mqtt.V5, mqtt.FromServer, []byte{kind, 3, 0, 1, byte(code)}) == nil
			assert.Equal(t, legal && code >= mqtt.UnspecifiedError, listed, "code 0x%02X", n)
		}
		if code < mqtt.UnspecifiedError {
			continue
		}
		var err *fault.Error
		require.ErrorAs(t, refusedPublish(&mqtt.Ack{Kind: mqtt.PUBACK, ReasonCode: code}), &err)
		assert.Equal(t, n, err.ReasonCode)
		assert.NotEmpty(t, err.Code)
	}
}

func TestRulingsThatMatter(t *testing.T) {
	connack := func(r mqtt.ReasonCode) cause { return cause{kind: causeConnack, reason: r} }
	disconnect := func(r mqtt.ReasonCode) cause { return cause{kind: causeDisconnect, reason: r} }
	suback := func(r mqtt.ReasonCode) cause { return cause{kind: causeSuback, reason: r} }
	closing := func(code int, reason string) cause {
		return cause{kind: causeClosed, err: &transport.CloseError{Code: code, Reason: reason}}
	}
	closed := func(code int) cause { return closing(code, "") }
	dial := func(err error) cause { return cause{kind: causeDial, err: err} }
	status := func(n int) cause {
		e := fault.New(fault.Network, "refused")
		e.Status = n
		return dial(e)
	}
	endpoint := func(code fault.Code) cause { return cause{kind: causeEndpoint, err: fault.New(code, "x")} }
	violation := func(r mqtt.ReasonCode) cause { return cause{kind: causeViolation, reason: r} }

	for name, c := range map[string]struct {
		cause cause
		act   action
		code  fault.Code
		end   phase
	}{
		"bad credentials":             {connack(mqtt.BadUserNameOrPassword), actRefresh, fault.BadCredentials, 0},
		"not authorised":              {connack(mqtt.NotAuthorized), actRefresh, fault.Unauthorized, 0},
		"server busy":                 {connack(mqtt.ServerBusy), actRetry, fault.ServerError, 0},
		"server moved":                {connack(mqtt.ServerMoved), actRefresh, fault.ServerError, 0},
		"other protocol version":      {connack(mqtt.UnsupportedProtocolVersion), actStop, fault.ProtocolVersion, phaseFailed},
		"not authorised later":        {disconnect(mqtt.NotAuthorized), actStop, fault.Unauthorized, phaseFailed},
		"revoked":                     {disconnect(mqtt.AdministrativeAction), actStop, fault.Revoked, phaseClosed},
		"displaced":                   {disconnect(mqtt.SessionTakenOver), actDisplace, fault.Displaced, 0},
		"maximum connect time":        {disconnect(mqtt.MaximumConnectTime), actRefresh, "", 0},
		"shutting down":               {disconnect(mqtt.ServerShuttingDown), actRetry, fault.ServerError, 0},
		"subscription refused":        {suback(mqtt.NotAuthorized), actRefresh, fault.Unauthorized, 0},
		"the same before MQTT 5":      {suback(mqtt.UnspecifiedError), actRefresh, fault.ServerError, 0},
		"no such topic filter":        {suback(mqtt.TopicFilterInvalid), actStop, fault.InvalidArgument, phaseFailed},
		"subscription over quota":     {suback(mqtt.QuotaExceeded), actRetry, fault.RateLimited, 0},
		"WebSocket 1006":              {closed(1006), actRetry, fault.Network, 0},
		"WebSocket 1000":              {closed(1000), actRetry, fault.Network, 0},
		"nats-server: another client": {closing(1011, "Duplicate Client ID"), actDisplace, fault.Displaced, 0},
		"the cloud: another client":   {closing(1008, "another connection with the same client identifier took over"), actDisplace, fault.Displaced, 0},
		"another: another client":     {closing(1000, "session taken over"), actDisplace, fault.Displaced, 0},
		"RabbitMQ 3: bad credentials": {closing(1002, "unauthenticated"), actRefresh, fault.BadCredentials, 0},
		"WebSocket 1009":              {closed(1009), actRetry, fault.PacketTooLarge, 0},
		"WebSocket 1013":              {closed(1013), actRetry, fault.ServerError, 0},
		"WebSocket 3000":              {closed(3000), actRefresh, fault.Unauthorized, 0},
		"WebSocket 4999":              {closed(4999), actRetry, fault.Network, 0},
		"end of TCP":                  {closed(0), actRetry, fault.Network, 0},
		"unread in a browser":         {cause{kind: causeClosed, err: fault.New(fault.QueueFull, "x")}, actRetry, fault.QueueFull, 0},
		"reset":                       {cause{kind: causeClosed, err: errors.New("reset")}, actRetry, fault.Network, 0},
		"handshake 403":               {status(403), actStop, fault.Forbidden, phaseFailed},
		"handshake 404":               {status(404), actRefresh, fault.NotFound, 0},
		"handshake 429":               {status(429), actRetry, fault.RateLimited, 0},
		"handshake 502":               {status(502), actRetry, fault.ServerError, 0},
		"handshake 418":               {status(418), actRetry, fault.Network, 0},
		"insecure":                    {dial(fault.New(fault.Insecure, "x")), actStop, fault.Insecure, phaseFailed},
		"wrong URL":                   {dial(fault.New(fault.InvalidArgument, "x")), actStop, fault.InvalidArgument, phaseFailed},
		"no network":                  {dial(errors.New("unreachable")), actRetry, fault.Network, 0},
		"dial too slow":               {dial(context.DeadlineExceeded), actRetry, fault.Timeout, 0},
		"endpoint: not logged in":     {endpoint(fault.NotLoggedIn), actStop, fault.NotLoggedIn, phaseFailed},
		"endpoint: not ready":         {endpoint(fault.EndpointNotReady), actRetry, fault.EndpointNotReady, 0},
		"endpoint: gone":              {endpoint(fault.NotFound), actStop, fault.Revoked, phaseClosed},
		"endpoint: captive portal":    {endpoint(fault.BadResponse), actRetry, fault.BadResponse, 0},
		"endpoint: any error":         {cause{kind: causeEndpoint, err: errors.New("x")}, actRetry, fault.Network, 0},
		"endpoint: too slow":          {cause{kind: causeEndpoint, err: context.DeadlineExceeded}, actRetry, fault.Timeout, 0},
		"no CONNACK":                  {cause{kind: causeTimeout, text: "CONNACK"}, actRetry, fault.Timeout, 0},
		"malformed":                   {violation(mqtt.MalformedPacket), actRetry, fault.ProtocolError, 0},
		"a 3.x broker":                {violation(mqtt.UnsupportedProtocolVersion), actStop, fault.ProtocolVersion, phaseFailed},
		"the endpoint has expired":    {cause{kind: causeExpired}, actRefresh, "", 0},
		"no reason code in SUBACK's":  {suback(0x42), actStop, fault.ProtocolError, phaseFailed},
	} {
		t.Run(name, func(t *testing.T) {
			r := judge(c.cause)
			assert.Equal(t, c.act, r.act)
			assert.Equal(t, c.code, r.code)
			if c.act == actStop {
				assert.Equal(t, c.end.String(), r.end.String())
			}
		})
	}
}

// everyCode is the whole set of fault codes, which the endpoint's table has to cover.
var everyCode = []fault.Code{
	fault.InvalidArgument, fault.NotLoggedIn, fault.Unauthorized, fault.Forbidden, fault.NotFound, fault.Conflict,
	fault.EndpointNotReady, fault.PushTooLarge, fault.RateLimited, fault.ServerError, fault.BadResponse,
	fault.Network, fault.Timeout, fault.Aborted, fault.Closed, fault.BadCredentials, fault.Displaced, fault.Revoked,
	fault.ProtocolError, fault.ProtocolVersion, fault.PacketTooLarge, fault.QueueFull, fault.Insecure, fault.WasmLoad,
	fault.Crashed, fault.Unsupported,
}

func TestPolicyOverAllFaultCodes(t *testing.T) {
	for _, code := range everyCode {
		r, ok := endpointRulings.find(code)
		require.True(t, ok, code)
		if code != fault.NotFound {
			assert.Equal(t, code, r.code)
		}
		below := fault.New(code, "what happened below")
		err := r.fault(cause{kind: causeEndpoint, err: below})
		if r.code == code {
			assert.Same(t, below, err, "an error with the right code is handed on as it is")
		} else {
			assert.ErrorIs(t, err, below)
		}
	}
	assert.Len(t, endpointRulings, len(everyCode))
}

// A token that could not be had just now is no refusal of the server's.
func TestPolicyWaitsForAToken(t *testing.T) {
	below := fault.New(fault.Unauthorized, "no token")
	below.Retryable = true
	r := judge(cause{kind: causeEndpoint, err: below})
	assert.Equal(t, actRetry, r.act)
	assert.Same(t, below, r.fault(cause{kind: causeEndpoint, err: below}))
}

func TestRetryAfterIsTheShortestWait(t *testing.T) {
	below := fault.New(fault.RateLimited, "slow down")
	below.RetryAfter = 30
	c := cause{kind: causeEndpoint, err: below}
	assert.Equal(t, 30*time.Second, judge(c).wait(c))
	below.RetryAfter = 1
	assert.Equal(t, busyFloor, judge(c).wait(c))
	below.RetryAfter = 1 << 40
	assert.Equal(t, longestFloor, judge(c).wait(c), "no answer of a server puts a session to sleep for good")
}

func TestTheBrokersWordsAreInTheMessage(t *testing.T) {
	c := cause{kind: causeDisconnect, reason: mqtt.ServerBusy, text: "back in a minute"}
	assert.Equal(t, "the broker ended the connection: Server busy (back in a minute)", judge(c).fault(c).Message)
}

func TestTheCloseOfAWebSocketIsInTheMessage(t *testing.T) {
	for want, err := range map[string]error{
		"the connection was lost (WebSocket close code 1011: out of memory)": &transport.CloseError{Code: 1011, Reason: "out of memory"},
		"the connection was lost (WebSocket close code 1006)":                &transport.CloseError{Code: 1006},
		"the connection was lost":                                            &transport.CloseError{Cause: errors.New("reset")}, // TCP has none
	} {
		c := cause{kind: causeClosed, err: err}
		assert.Equal(t, want, judge(c).fault(c).Message)
	}
}

func TestOnlyAClientsReasonCodesAreTold(t *testing.T) {
	for n := range 256 {
		told := tellable(mqtt.ReasonCode(n))
		pkt := []byte{0xE0, 1, byte(told)}
		assert.NoError(t, mqtt.Check(mqtt.V5, mqtt.FromClient, pkt), "code 0x%02X", n)
		if mqtt.Check(mqtt.V5, mqtt.FromClient, []byte{0xE0, 1, byte(n)}) == nil {
			assert.Equal(t, mqtt.ReasonCode(n), told)
		}
	}
}

// A list does not keep a cause from being listed twice, as a map would.
func TestTablesListEachCauseOnce(t *testing.T) {
	for name, list := range map[string][]string{
		"CONNACK": keys(connackRulings), "DISCONNECT": keys(disconnectRulings), "SUBACK": keys(subackRulings),
		"close codes": keys(closeRulings), "close texts": keys(closeTexts), "reading": keys(readRulings), "HTTP statuses": keys(statusRulings),
		"dialing": keys(dialRulings), "endpoints": keys(endpointRulings),
		"PUBACK": keys(pubackRulings), "violations": keys(violationRulings),
	} {
		seen := map[string]bool{}
		for _, key := range list {
			assert.False(t, seen[key], "%s: %s", name, key)
			seen[key] = true
		}
	}
}

func keys[K comparable](t table[K]) (list []string) {
	for _, e := range t {
		list = append(list, fmt.Sprint(e.on))
	}
	return list
}
