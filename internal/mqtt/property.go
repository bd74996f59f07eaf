package mqtt

// property is one property as its packet holds it.
type property struct {
	id     byte
	number uint32 // value of the integer kinds
	text   []byte // value of the string and binary kinds; the name of a pair
	value  []byte // value of a pair
}

// bit is the property's bit in a set of property identifiers.
func (p *property) bit() uint64 { return 1 << p.id }

// property reads one property, whatever packet it is in.
func (r *reader) property() (p property) {
	id := r.varint()
	if id >= uint32(len(propertyTable)) || propertyTable[id].kind == 0 {
		r.breaks(&rulePropertyUnknown)
		return p
	}
	p.id = byte(id)
	def := &propertyTable[id]
	switch def.kind {
	case kindFlag:
		if p.number = uint32(r.byte()); p.number > 1 {
			r.breaks(&rulePropertyFlag)
		}
		return p
	case kindUint16:
		p.number = uint32(r.uint16())
	case kindUint32:
		p.number = r.uint32()
	case kindVarint:
		p.number = r.varint()
	case kindBinary:
		p.text = r.binary()
	case kindText:
		p.text = r.text()
		if def.wild != nil && hasWildcard(p.text) {
			r.breaks(def.wild)
		}
	case kindPair:
		p.text, p.value = r.text(), r.text()
	}
	if def.zero != nil && p.number == 0 && len(p.text) == 0 {
		r.breaks(def.zero)
	}
	return p
}

// properties reads a property length and the properties behind it, which stand in the
// places in. It gives them raw, and the set of their identifiers. Versions before 5
// have none.
func (r *reader) properties(in place) (raw []byte, ids uint64) {
	if r.v != V5 {
		return nil, 0
	}
	if raw = r.take(int(r.varint())); len(raw) == 0 {
		return raw, 0
	}
	props := reader{b: raw, v: r.v, err: r.err, mute: r.mute}
	for len(props.b) > 0 {
		p := props.property()
		if props.err != nil {
			break
		}
		props.placed(&p, in, ids)
		ids |= p.bit()
	}
	if props.err != nil {
		r.err, r.b = props.err, nil
		return nil, 0
	}
	return raw, ids
}

// placed demands that p may stand in the places in, and if it is in ids already, more
// than once.
func (r *reader) placed(p *property, in place, ids uint64) {
	def := &propertyTable[p.id]
	switch {
	case def.in&in == 0 && def.byOther != nil && def.in&in.eitherSide() != 0:
		r.breaks(def.byOther)
	case def.in&in == 0:
		r.breaks(&rulePropertyPlace)
	case ids&p.bit() != 0 && def.many&in == 0:
		r.breaks(&rulePropertyTwice)
	}
}

// FindUserProperty gives the value of the first user property named key in raw, the
// properties of a packet without their length, as PublishView has them. The value is a
// part of raw. What was checked is not checked again: it steps over what it is not asked for.
func FindUserProperty(raw []byte, key string) (value []byte, ok bool) {
	for len(raw) > 0 {
		id := raw[0]
		if int(id) >= len(propertyTable) {
			return nil, false
		}
		raw = raw[1:]
		kind := propertyTable[id].kind
		size := 0
		switch kind {
		case kindFlag:
			size = 1
		case kindUint16:
			size = 2
		case kindUint32:
			size = 4
		case kindVarint:
			_, size, _ = varint(raw)
		case kindText, kindBinary, kindPair:
			if len(raw) < 2 {
				return nil, false
			}
			size = 2 + int(raw[0])<<8 + int(raw[1])
		}
		if size == 0 || size > len(raw) {
			return nil, false
		}
		name := raw[:size]
		raw = raw[size:]
		if kind != kindPair {
			continue
		}
		if len(raw) < 2 {
			return nil, false
		}
		size = 2 + int(raw[0])<<8 + int(raw[1])
		if size > len(raw) {
			return nil, false
		}
		if string(name[2:]) == key {
			return raw[2:size:size], true
		}
		raw = raw[size:]
	}
	return nil, false
}
