package mqtt

import "math/bits"

// overhead is more bytes than a packet has besides the fields that measure counts.
const overhead = 256

// measure looks at the fields of a packet that is to be sent, for what its bytes would
// no longer show: an encoder that cuts long strings, masks bits or leaves out
// properties gives a valid packet, but another one.
type measure struct {
	size   int // bytes, never too few
	broken *rule
}

// sendable gives the rule that keeps p from being encoded as it is, nil for none.
func sendable(p Packet) *rule {
	var m measure
	switch p := p.(type) {
	case *Connect:
		m.connect(p)
	case *Connack:
		m.properties(&p.Properties, byBoth(CONNACK))
	case *Publish:
		m.publish(p)
	case *Ack:
		m.demand(p.Kind >= PUBACK && p.Kind <= PUBCOMP, &ruleType)
		m.properties(&p.Properties, byBoth(p.Kind&0x0F))
	case *Subscribe:
		m.subscribe(p)
	case *Suback:
		m.size += len(p.ReasonCodes)
		m.properties(&p.Properties, byBoth(SUBACK))
	case *Unsubscribe:
		for _, filter := range p.Filters {
			m.field(len(filter))
		}
		m.properties(&p.Properties, byBoth(UNSUBSCRIBE))
	case *Unsuback:
		m.size += len(p.ReasonCodes)
		m.properties(&p.Properties, byBoth(UNSUBACK))
	case *Disconnect:
		m.properties(&p.Properties, byBoth(DISCONNECT))
	case *Auth:
		m.properties(&p.Properties, byBoth(AUTH))
	case *Pingreq, *Pingresp:
	default:
		m.demand(false, &ruleType)
	}
	m.demand(m.size <= MaxRemaining-overhead, &ruleTooLarge)
	return m.broken
}

func (m *measure) connect(p *Connect) {
	m.field(len(p.ClientID))
	m.field(len(p.Username))
	m.field(len(p.Password))
	m.properties(&p.Properties, byBoth(CONNECT))
	if p.Will != nil {
		m.demand(p.Will.QoS <= 2, &ruleWillQoS)
		m.field(len(p.Will.Topic))
		m.field(len(p.Will.Payload))
		m.properties(&p.Will.Properties, inWill)
	}
}

func (m *measure) publish(p *Publish) {
	m.demand(p.QoS <= 2, &ruleQoS)
	m.demand(p.QoS > 0 || p.PacketID == 0, &ruleSurplusID)
	m.field(len(p.Topic))
	m.properties(&p.Properties, byBoth(PUBLISH))
	m.size += len(p.Payload)
}

func (m *measure) subscribe(p *Subscribe) {
	for _, s := range p.Subscriptions {
		m.field(len(s.Filter))
		m.demand(s.QoS <= 2, &ruleMaximumQoS)
		m.demand(s.RetainHandling <= 2, &ruleRetainHandling)
	}
	m.properties(&p.Properties, byBoth(SUBSCRIBE))
}

// demand notes that a rule is broken unless it is kept.
func (m *measure) demand(kept bool, broken *rule) {
	if !kept && m.broken == nil {
		m.broken = broken
	}
}

// field counts a string or binary data of n bytes.
func (m *measure) field(n int) {
	m.demand(n <= maxField, &ruleTooLong)
	m.size += n + 3 // length; options of a filter, or identifier of a property
}

// properties counts props and demands that all of them may stand in the places in.
func (m *measure) properties(props *Properties, in place) {
	ids := props.ids()
	if ids == 0 {
		return
	}
	for ; ids != 0; ids &= ids - 1 {
		m.demand(propertyTable[bits.TrailingZeros64(ids)].in&in != 0, &rulePropertyPlace)
	}
	for _, s := range [...]string{
		props.ContentType, props.ResponseTopic, props.AssignedClientID, props.AuthMethod,
		props.ResponseInfo, props.ServerReference, props.ReasonString,
	} {
		m.field(len(s))
	}
	m.field(len(props.CorrelationData))
	m.field(len(props.AuthData))
	for _, u := range props.User {
		m.field(len(u.Key))
		m.field(len(u.Value))
	}
	many := propertyTable[propSubscriptionID].many&in != 0
	m.demand(many || len(props.SubscriptionID) <= 1, &rulePropertyTwice)
	for _, id := range props.SubscriptionID {
		m.demand(id <= MaxRemaining, &ruleLength)
	}
	m.size += 5 * len(props.SubscriptionID)
}
