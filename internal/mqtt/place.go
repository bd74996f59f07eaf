package mqtt

// place is a set of places where a property or a reason code may stand: a packet type
// sent by one side, or the will of a CONNECT.
type place uint32

// inWill is the will of a CONNECT.
const inWill place = 1

// byClient is the place in packets of these types that a client sends.
func byClient(types ...Type) (p place) {
	for _, t := range types {
		p |= sent(FromClient, t)
	}
	return p
}

// byServer is the place in packets of these types that a server sends.
func byServer(types ...Type) (p place) {
	for _, t := range types {
		p |= sent(FromServer, t)
	}
	return p
}

// byBoth is the place in packets of these types, whoever sends them.
func byBoth(types ...Type) place { return byClient(types...) | byServer(types...) }

// sent is the place in a packet of type t that from sent.
func sent(from Side, t Type) place {
	if from == FromServer {
		return 1 << (16 + t)
	}
	return 1 << t
}

// eitherSide is the places of p as both sides have them.
func (p place) eitherSide() place { return p | p>>16&^inWill | p&^inWill<<16 }

// senders says for each packet type who may send it, on any version.
var senders = byClient(CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ) |
	byServer(CONNACK, SUBACK, UNSUBACK, PINGRESP) |
	byBoth(PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT, AUTH)
