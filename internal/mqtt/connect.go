package mqtt

// Bits of the connect flags (3.1.2.3).
const (
	connectReserved   = 0x01
	connectCleanStart = 0x02
	connectWill       = 0x04
	connectWillQoS    = 0x18
	connectWillRetain = 0x20
	connectPassword   = 0x40
	connectUsername   = 0x80
)

// connackSession is the session present flag (3.2.2.1.1).
const connackSession = 0x01

// connectView is a CONNECT in place: its fields are slices of the packet.
type connectView struct {
	version        Version
	flags          byte
	keepAlive      uint16
	properties     []byte
	clientID       []byte
	willProperties []byte
	willTopic      []byte
	willPayload    []byte
	username       []byte
	password       []byte
}

// ConnectVersion reads protocol name and level of a CONNECT, whatever follows them. When
// they are not those of a version in this package, the error is an *Error with reason
// UnsupportedProtocolVersion.
func ConnectVersion(pkt []byte) (Version, error) {
	var r reader
	r.openAny(anyVersion, pkt)
	if r.err == nil && PacketTypeOf(pkt) != CONNECT {
		r.breaks(&ruleUnexpected)
	}
	v := r.protocol()
	if r.err != nil {
		return 0, r.err
	}
	return v, nil
}

// ParseConnect checks a client's CONNECT of any version as Check does, and decodes it.
func ParseConnect(pkt []byte) (*Connect, error) {
	v, err := ConnectVersion(pkt)
	if err != nil {
		return nil, err
	}
	var r reader
	r.open(v, pkt)
	view := r.connect()
	p := view.decode(&r)
	if err := r.end(); err != nil {
		return nil, err
	}
	return p, nil
}

// protocol reads the protocol name and level (3.1.2.1, 3.1.2.2).
func (r *reader) protocol() Version {
	name, level := r.text(), Version(r.byte())
	if r.err != nil {
		return 0
	}
	switch string(name) {
	case "MQTT":
		if level == V311 || level == V5 {
			return level
		}
	case "MQIsdp":
		if level == V31 {
			return level
		}
	default:
		r.breaks(&ruleProtocolName)
		return 0
	}
	r.breaks(&ruleVersion)
	return 0
}

// connect walks CONNECT (3.1).
func (r *reader) connect() (c connectView) {
	if c.version = r.protocol(); c.version != r.v {
		r.breaks(&ruleVersion)
	}
	c.flags = r.byte()
	r.connectFlags(c.flags)
	c.keepAlive = r.uint16()
	var ids uint64
	c.properties, ids = r.properties(client << CONNECT)
	r.authMethod(ids, false)
	c.clientID = r.text()
	if len(c.clientID) == 0 && (r.v == V31 || r.v == V311 && c.flags&connectCleanStart == 0) {
		r.breaks(&ruleClientID)
	}
	if c.flags&connectWill != 0 {
		c.willProperties, _ = r.properties(inWill)
		c.willTopic = r.willTopic()
		c.willPayload = r.binary()
	}
	if c.flags&connectUsername != 0 {
		c.username = r.text()
	}
	if c.flags&connectPassword != 0 {
		c.password = r.binary()
	}
	return c
}

func (r *reader) connectFlags(flags byte) {
	if flags&connectReserved != 0 {
		r.breaks(&ruleConnectReserved)
	}
	if flags&connectWillQoS == connectWillQoS {
		r.breaks(&ruleWillQoS)
	}
	if flags&connectWill == 0 {
		if flags&connectWillQoS != 0 {
			r.breaks(&ruleWillQoSUnused)
		}
		if flags&connectWillRetain != 0 {
			r.breaks(&ruleWillRetain)
		}
	}
	if r.v != V5 && flags&connectPassword != 0 && flags&connectUsername == 0 {
		r.breaks(&rulePasswordOnly)
	}
}

func (r *reader) willTopic() []byte {
	topic := r.text()
	switch {
	case r.err != nil:
	case len(topic) == 0:
		r.breaks(&ruleTopicEmpty)
	case hasWildcard(topic):
		r.breaks(&ruleWillWild)
	}
	return topic
}
