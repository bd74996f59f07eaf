package mqtt

// place is a set of places where a property or a reason code may stand: a packet type
// sent by one side, or the will of a CONNECT. client<<CONNECT is the CONNECT of a
// client; a place has all its bits known when compiling, so that the tables are data
// and need no code to be filled.
type place uint32

// The senders, to be shifted by a packet type.
const (
	client place = 1
	server place = 1 << 16
	both         = client | server
)

// inWill is the will of a CONNECT: the client's packet type 0, which does not exist.
const inWill place = 1

// sent is the place in a packet of type t that from sent.
func sent(from Side, t Type) place {
	if from == FromServer {
		return server << t
	}
	return client << t
}

// eitherSide is the places of p as both sides have them.
func (p place) eitherSide() place { return p | p>>16&^inWill | p&^inWill<<16 }

// senders says for each packet type who may send it, on any version.
const senders = client<<CONNECT | server<<CONNACK | both<<PUBLISH |
	both<<PUBACK | both<<PUBREC | both<<PUBREL | both<<PUBCOMP |
	client<<SUBSCRIBE | server<<SUBACK | client<<UNSUBSCRIBE | server<<UNSUBACK |
	client<<PINGREQ | server<<PINGRESP | both<<DISCONNECT | both<<AUTH
