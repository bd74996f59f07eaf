package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// connackRulings: the reason codes of CONNACK (MQTT 5, 3.2.2.2).
var connackRulings = table[mqtt.ReasonCode]{
	{mqtt.UnspecifiedError, retry, fault.ServerError},
	{mqtt.MalformedPacket, stop, fault.ProtocolError},
	{mqtt.ProtocolError, stop, fault.ProtocolError},
	{mqtt.ImplementationSpecificError, retry, fault.ServerError},
	{mqtt.UnsupportedProtocolVersion, stop, fault.ProtocolVersion},
	{mqtt.ClientIdentifierNotValid, refused, fault.BadCredentials},
	{mqtt.BadUserNameOrPassword, refused, fault.BadCredentials},
	{mqtt.NotAuthorized, doubted, fault.Unauthorized},
	{mqtt.ServerUnavailable, retry, fault.ServerError},
	{mqtt.ServerBusy, busy, fault.ServerError},
	{mqtt.Banned, stop, fault.Forbidden},
	{mqtt.BadAuthenticationMethod, stop, fault.Unsupported},
	{mqtt.TopicNameInvalid, stop, fault.ProtocolError},
	{mqtt.PacketTooLarge, stop, fault.PacketTooLarge},
	{mqtt.QuotaExceeded, busy, fault.RateLimited},
	{mqtt.PayloadFormatInvalid, stop, fault.ProtocolError},
	{mqtt.RetainNotSupported, stop, fault.Unsupported},
	{mqtt.QoSNotSupported, stop, fault.Unsupported},
	{mqtt.UseAnotherServer, moved, fault.ServerError},
	{mqtt.ServerMoved, moved, fault.ServerError},
	{mqtt.ConnectionRateExceeded, busy, fault.RateLimited},
}

// returnCodes are the return codes of CONNACK before MQTT 5 (3.1.1, 3.2.2.3) as reason
// codes, so that connackRulings rules on them as well.
var returnCodes = [...]mqtt.ReasonCode{
	1: mqtt.UnsupportedProtocolVersion,
	2: mqtt.ClientIdentifierNotValid,
	3: mqtt.ServerUnavailable,
	4: mqtt.BadUserNameOrPassword,
	5: mqtt.NotAuthorized,
}

// violationRulings: the reasons why a connection is ended that the server has used in
// a way that the standard does not allow. All others are tried again.
var violationRulings = table[mqtt.ReasonCode]{
	{mqtt.UnsupportedProtocolVersion, stop, fault.ProtocolVersion},
	{mqtt.BadAuthenticationMethod, foreignAuth, fault.Unsupported},
	{mqtt.PacketTooLarge, outsized, fault.PacketTooLarge},
}

// disconnectRulings: the reason codes of a server's DISCONNECT (MQTT 5, 3.14.2.1).
var disconnectRulings = table[mqtt.ReasonCode]{
	{mqtt.Success, retry, fault.Network},
	{mqtt.UnspecifiedError, retry, fault.ServerError},
	{mqtt.MalformedPacket, blamed, fault.ProtocolError},
	{mqtt.ProtocolError, blamed, fault.ProtocolError},
	{mqtt.ImplementationSpecificError, retry, fault.ServerError},
	{mqtt.NotAuthorized, denied, fault.Unauthorized}, // to what, only what was sent can tell
	{mqtt.ServerBusy, busy, fault.ServerError},
	{mqtt.ServerShuttingDown, retry, fault.ServerError},
	{mqtt.BadAuthenticationMethod, stop, fault.Unsupported},
	{mqtt.KeepAliveTimeout, retry, fault.Timeout},
	{mqtt.SessionTakenOver, displaced, fault.Displaced},
	{mqtt.TopicFilterInvalid, filter, fault.InvalidArgument},
	{mqtt.TopicNameInvalid, blamed, fault.InvalidArgument},
	{mqtt.ReceiveMaximumExceeded, retry, fault.ProtocolError},
	{mqtt.TopicAliasInvalid, blamed, fault.ProtocolError},
	{mqtt.PacketTooLarge, blamed, fault.PacketTooLarge},
	{mqtt.MessageRateTooHigh, busy, fault.RateLimited},
	{mqtt.QuotaExceeded, busy, fault.RateLimited},
	{mqtt.AdministrativeAction, revoked, fault.Revoked},
	{mqtt.PayloadFormatInvalid, blamed, fault.InvalidArgument},
	{mqtt.RetainNotSupported, blamed, fault.Unsupported},
	{mqtt.QoSNotSupported, blamed, fault.Unsupported},
	{mqtt.UseAnotherServer, moved, fault.ServerError},
	{mqtt.ServerMoved, moved, fault.ServerError},
	{mqtt.SharedSubscriptionsNotSupported, filter, fault.Unsupported},
	{mqtt.ConnectionRateExceeded, busy, fault.RateLimited},
	{mqtt.MaximumConnectTime, expired, ""},
	{mqtt.SubscriptionIdentifiersNotSupported, filter, fault.Unsupported},
	{mqtt.WildcardSubscriptionsNotSupported, filter, fault.Unsupported},
}

// subackRulings: the failures of SUBACK (MQTT 5, 3.9.3; before, 0x80 is the only one). Of the session's
// own subscription, without which nothing arrives: what a fresh endpoint may mend is tried again with one.
// They rule on a DISCONNECT about it that comes instead, too.
var subackRulings = table[mqtt.ReasonCode]{
	{mqtt.UnspecifiedError, withheld, fault.ServerError},
	{mqtt.ImplementationSpecificError, withheld, fault.ServerError},
	{mqtt.NotAuthorized, withheld, fault.Unauthorized},
	{mqtt.TopicFilterInvalid, stop, fault.InvalidArgument},
	{mqtt.PacketIdentifierInUse, stop, fault.ProtocolError},
	{mqtt.QuotaExceeded, busy, fault.RateLimited}, // others' subscriptions may end
	{mqtt.SharedSubscriptionsNotSupported, stop, fault.Unsupported},
	{mqtt.SubscriptionIdentifiersNotSupported, stop, fault.Unsupported},
	{mqtt.WildcardSubscriptionsNotSupported, stop, fault.Unsupported},
}

// pubackRulings: the failures of PUBACK and PUBREC (MQTT 5, 3.4.2.1, 3.5.2.1). Only their codes count:
// a refused publish fails alone and the connection stays.
var pubackRulings = table[mqtt.ReasonCode]{
	{mqtt.UnspecifiedError, blamed, fault.ServerError},
	{mqtt.ImplementationSpecificError, blamed, fault.ServerError},
	{mqtt.NotAuthorized, blamed, fault.Forbidden},
	{mqtt.TopicNameInvalid, blamed, fault.InvalidArgument},
	{mqtt.PacketIdentifierInUse, blamed, fault.ProtocolError},
	{mqtt.QuotaExceeded, blamed, fault.RateLimited},
	{mqtt.PayloadFormatInvalid, blamed, fault.InvalidArgument},
}

// closeRulings: WebSocket close codes (RFC 6455, 7.4, and its registry). Others, and
// the end of a TCP connection, mean that the network failed.
var closeRulings = table[int]{
	{1000, retry, fault.Network},
	{1001, retry, fault.Network},
	{1002, blamed, fault.ProtocolError},
	{1003, blamed, fault.ProtocolError},
	{1004, retry, fault.Network},
	{1005, retry, fault.Network},
	{1006, retry, fault.Network},
	{1007, blamed, fault.ProtocolError},
	{1008, retry, fault.Network}, // brokers close so for many reasons, a takeover among them
	{1009, blamed, fault.PacketTooLarge},
	{1010, retry, fault.ProtocolError},
	{1011, retry, fault.ServerError},
	{1012, retry, fault.ServerError},
	{1013, busy, fault.ServerError},
	{1014, retry, fault.ServerError},
	{1015, retry, fault.Network},
	{3000, doubted, fault.Unauthorized}, // as in CONNACK
	{3003, stop, fault.Forbidden},
	{3008, retry, fault.Timeout},
}

// closeTexts: what servers say in the close frame of a WebSocket, where MQTT 3.x has no
// word for it or they do not use it. It counts before the code.
var closeTexts = table[string]{
	{"took over", displaced, fault.Displaced},           // our cloud, 1008
	{"taken over", displaced, fault.Displaced},          // MQTT 5's own words
	{"Duplicate Client ID", displaced, fault.Displaced}, // nats-server, 1011
	{"unauthenticated", refused, fault.BadCredentials},  // RabbitMQ 3, 1002 and no CONNACK
}

// readRulings: the codes of a transport that ended itself, because of what it read.
var readRulings = table[fault.Code]{
	{fault.PacketTooLarge, retry, fault.PacketTooLarge},
	{fault.ProtocolError, retry, fault.ProtocolError},
	{fault.QueueFull, retry, fault.QueueFull},
}

// statusRulings: HTTP answers to a WebSocket handshake, where the platform tells
// them. A page behind a proxy may answer 404 for a while, so that is tried again,
// with a new endpoint.
var statusRulings = table[int]{
	{400, retry, fault.BadResponse},
	{401, foreign, fault.Forbidden},
	{403, foreign, fault.Forbidden},
	{404, astray, fault.NotFound},
	{408, retry, fault.Timeout},
	{426, retry, fault.BadResponse},
	{429, busy, fault.RateLimited},
}

// dialRulings: the codes of a failed dial. Others are retried as NETWORK.
var dialRulings = table[fault.Code]{
	{fault.InvalidArgument, stop, fault.InvalidArgument},
	{fault.Insecure, stop, fault.Insecure},
	{fault.Unsupported, stop, fault.Unsupported},
	{fault.Timeout, retry, fault.Timeout},
	{fault.BadResponse, retry, fault.BadResponse},
	{fault.ServerError, retry, fault.ServerError},
	{fault.RateLimited, busy, fault.RateLimited},
	{fault.Crashed, retry, fault.Crashed},
}

// endpointRulings: the codes of the Endpoint hook. An installation that is not found
// any more was removed. A page of some other server (BAD_RESPONSE) is what the login
// page of a public network looks like, so it is tried again.
var endpointRulings = table[fault.Code]{
	{fault.InvalidArgument, stop, fault.InvalidArgument},
	{fault.NotLoggedIn, stop, fault.NotLoggedIn},
	{fault.Unauthorized, stop, fault.Unauthorized},
	{fault.Forbidden, stop, fault.Forbidden},
	{fault.NotFound, revoked, fault.Revoked},
	{fault.Conflict, stop, fault.Conflict},
	{fault.EndpointNotReady, retry, fault.EndpointNotReady},
	{fault.PushTooLarge, stop, fault.PushTooLarge},
	{fault.RateLimited, busy, fault.RateLimited},
	{fault.ServerError, retry, fault.ServerError},
	{fault.BadResponse, retry, fault.BadResponse},
	{fault.Network, retry, fault.Network},
	{fault.Timeout, retry, fault.Timeout},
	{fault.Aborted, stop, fault.Aborted},
	{fault.Closed, over, fault.Closed},
	{fault.BadCredentials, stop, fault.BadCredentials},
	{fault.Displaced, displaced, fault.Displaced},
	{fault.Revoked, revoked, fault.Revoked},
	{fault.ProtocolError, retry, fault.ProtocolError},
	{fault.ProtocolVersion, stop, fault.ProtocolVersion},
	{fault.PacketTooLarge, stop, fault.PacketTooLarge},
	{fault.QueueFull, retry, fault.QueueFull},
	{fault.Insecure, stop, fault.Insecure},
	{fault.WasmLoad, stop, fault.WasmLoad},
	{fault.Crashed, retry, fault.Crashed},
	{fault.Unsupported, stop, fault.Unsupported},
}

// tellable gives the reason code that DISCONNECT tells the server of its fault: the
// same where a client's DISCONNECT may carry it (MQTT 5, table 3-10).
func tellable(reason mqtt.ReasonCode) mqtt.ReasonCode {
	switch reason {
	case mqtt.Success, mqtt.DisconnectWithWillMessage, mqtt.UnspecifiedError, mqtt.MalformedPacket,
		mqtt.ProtocolError, mqtt.ImplementationSpecificError, mqtt.TopicNameInvalid, mqtt.ReceiveMaximumExceeded,
		mqtt.TopicAliasInvalid, mqtt.PacketTooLarge, mqtt.MessageRateTooHigh, mqtt.QuotaExceeded,
		mqtt.AdministrativeAction, mqtt.PayloadFormatInvalid:
		return reason
	}
	return mqtt.ProtocolError
}
