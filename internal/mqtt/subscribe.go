package mqtt

// Bits of the subscription options (3.8.3.1).
const (
	optionQoS            = 0x03
	optionNoLocal        = 0x04
	optionAsPublished    = 0x08
	optionRetainHandling = 0x30
	optionReserved       = 0xC0
)

// ParseSubscribe checks a client's SUBSCRIBE as Check does, and decodes it.
func ParseSubscribe(v Version, pkt []byte) (*Subscribe, error) {
	var r reader
	r.openAs(v, SUBSCRIBE, pkt)
	p := &Subscribe{}
	r.decodeProperties(r.subscribe(p), &p.Properties)
	if err := r.end(); err != nil {
		return nil, err
	}
	return p, nil
}

// ParseUnsubscribe checks a client's UNSUBSCRIBE as Check does, and decodes it.
func ParseUnsubscribe(v Version, pkt []byte) (*Unsubscribe, error) {
	var r reader
	r.openAs(v, UNSUBSCRIBE, pkt)
	p := &Unsubscribe{}
	r.decodeProperties(r.unsubscribe(p), &p.Properties)
	if err := r.end(); err != nil {
		return nil, err
	}
	return p, nil
}

// subscribe walks SUBSCRIBE (3.8) and fills p, which may be nil, but for the properties.
func (r *reader) subscribe(p *Subscribe) (properties []byte) {
	id := r.packetID(&rulePacketID)
	properties, _ = r.properties(client << SUBSCRIBE)
	if len(r.b) == 0 {
		r.breaks(&ruleNoFilters)
	}
	for len(r.b) > 0 {
		filter := r.filter()
		options := r.byte()
		r.options(filter, options)
		if p != nil && r.err == nil {
			p.PacketID = id
			p.Subscriptions = append(p.Subscriptions, subscription(filter, options))
		}
	}
	return properties
}

// unsubscribe walks UNSUBSCRIBE (3.10) and fills p, which may be nil, but for the
// properties.
func (r *reader) unsubscribe(p *Unsubscribe) (properties []byte) {
	id := r.packetID(&rulePacketID)
	properties, _ = r.properties(client << UNSUBSCRIBE)
	if len(r.b) == 0 {
		r.breaks(&ruleNoUnfilters)
	}
	for len(r.b) > 0 {
		filter := r.filter()
		if p != nil && r.err == nil {
			p.PacketID = id
			p.Filters = append(p.Filters, string(filter))
		}
	}
	return properties
}

// filter reads a topic filter (4.7).
func (r *reader) filter() []byte {
	filter := r.text()
	if r.err == nil {
		if broken := filterRule(r.v, filter); broken != nil {
			r.breaks(broken)
		}
	}
	return filter
}

// options checks the subscription options of filter. Before version 5 there is the QoS
// alone.
func (r *reader) options(filter []byte, options byte) {
	reserved := byte(optionReserved)
	if r.v != V5 {
		reserved = 0xFF &^ optionQoS
	}
	switch {
	case options&reserved != 0:
		r.breaks(&ruleOptionBits)
	case options&optionQoS == optionQoS:
		r.breaks(&ruleMaximumQoS)
	case options&optionRetainHandling == optionRetainHandling:
		r.breaks(&ruleRetainHandling)
	case options&optionNoLocal != 0 && isShared(filter):
		r.breaks(&ruleNoLocalShared)
	}
}

func subscription(filter []byte, options byte) Subscription {
	return Subscription{
		Filter:            string(filter),
		QoS:               options & optionQoS,
		NoLocal:           options&optionNoLocal != 0,
		RetainAsPublished: options&optionAsPublished != 0,
		RetainHandling:    options & optionRetainHandling >> 4,
	}
}
