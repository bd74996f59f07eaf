package guard

import "github.com/kiiweb/kiiweb/internal/mqtt"

// propReasonString is the identifier of the Reason String property (MQTT 5, 2.2.2.2).
const propReasonString = 0x1F

// connackRefused is the CONNACK that refuses a connection.
func connackRefused(v mqtt.Version, r *Refusal) []byte {
	if v < mqtt.V5 {
		return []byte{byte(mqtt.CONNACK) << 4, 2, 0, returnCode(r.Code)}
	}
	return packet(mqtt.CONNACK, appendReason([]byte{0, byte(r.Code)}, r.Reason))
}

// connackCode is the reason code that a CONNACK has (MQTT 5, table 3-1) for what ends a connection.
func connackCode(code mqtt.ReasonCode) mqtt.ReasonCode {
	switch code {
	case mqtt.SessionTakenOver: // by the time the client comes again it may want to take over itself
		return mqtt.ServerBusy
	case mqtt.ServerShuttingDown:
		return mqtt.ServerUnavailable
	case mqtt.AdministrativeAction:
		return mqtt.NotAuthorized
	case mqtt.MaximumConnectTime:
		return mqtt.BadUserNameOrPassword
	default:
		return code
	}
}

// returnCode is the CONNACK return code of 3.1 and 3.1.1 (table 3.1) that says most
// nearly what code says. What has no counterpart is "not authorized": it tells a client
// not to come back unchanged.
func returnCode(code mqtt.ReasonCode) byte {
	switch code {
	case mqtt.UnsupportedProtocolVersion:
		return 1
	case mqtt.ClientIdentifierNotValid:
		return 2
	case mqtt.ServerUnavailable, mqtt.ServerBusy, mqtt.ServerShuttingDown, mqtt.UnspecifiedError, mqtt.QuotaExceeded:
		return 3
	case mqtt.BadUserNameOrPassword, mqtt.BadAuthenticationMethod:
		return 4
	default:
		return 5
	}
}

// puback is a PUBACK. reason may be empty; 3.x has neither code nor reason.
func puback(v mqtt.Version, packetID uint16, code mqtt.ReasonCode, reason string) []byte {
	body := []byte{byte(packetID >> 8), byte(packetID)}
	if v == mqtt.V5 && code != mqtt.Success {
		body = appendReason(append(body, byte(code)), reason)
	}
	return packet(mqtt.PUBACK, body)
}

// disconnect is a DISCONNECT of MQTT 5; a server of 3.x has none to send.
func disconnect(code mqtt.ReasonCode, reason string) []byte {
	return packet(mqtt.DISCONNECT, appendReason([]byte{byte(code)}, reason))
}

// appendReason appends properties that hold the reason string alone, or none.
func appendReason(dst []byte, reason string) []byte {
	if reason == "" {
		return append(dst, 0)
	}
	dst = appendVarint(dst, len(reason)+3)
	dst = append(dst, propReasonString, byte(len(reason)>>8), byte(len(reason)))
	return append(dst, reason...)
}

func packet(t mqtt.Type, body []byte) []byte {
	p := appendVarint([]byte{byte(t) << 4}, len(body))
	return append(p, body...)
}

// appendVarint appends n as a variable byte integer (MQTT 5, 1.5.5).
func appendVarint(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// headerLen is the length of the fixed header of pkt, a whole packet.
func headerLen(pkt []byte) int {
	n := 2
	for n < len(pkt) && n < 5 && pkt[n-1]&0x80 != 0 {
		n++
	}
	return n
}
