package mqtt

import "github.com/eclipse/paho.golang/packets"

// propertiesFrom5 converts properties that paho decoded.
func propertiesFrom5(p *packets.Properties) Properties {
	props := Properties{
		PayloadFormat:        p.PayloadFormat,
		MessageExpiry:        p.MessageExpiry,
		ContentType:          p.ContentType,
		ResponseTopic:        p.ResponseTopic,
		CorrelationData:      bytesOrNil(p.CorrelationData),
		SessionExpiry:        p.SessionExpiryInterval,
		AssignedClientID:     p.AssignedClientID,
		ServerKeepAlive:      p.ServerKeepAlive,
		AuthMethod:           p.AuthMethod,
		AuthData:             bytesOrNil(p.AuthData),
		RequestProblemInfo:   p.RequestProblemInfo,
		WillDelay:            p.WillDelayInterval,
		RequestResponseInfo:  p.RequestResponseInfo,
		ResponseInfo:         p.ResponseInfo,
		ServerReference:      p.ServerReference,
		ReasonString:         p.ReasonString,
		ReceiveMaximum:       p.ReceiveMaximum,
		TopicAliasMaximum:    p.TopicAliasMaximum,
		TopicAlias:           p.TopicAlias,
		MaximumQoS:           p.MaximumQOS,
		RetainAvailable:      p.RetainAvailable,
		MaximumPacketSize:    p.MaximumPacketSize,
		WildcardSubAvailable: p.WildcardSubAvailable,
		SubIDAvailable:       p.SubIDAvailable,
		SharedSubAvailable:   p.SharedSubAvailable,
	}
	if p.SubscriptionIdentifier != nil {
		props.SubscriptionID = []uint32{uint32(*p.SubscriptionIdentifier)}
	}
	for _, u := range p.User {
		props.User = append(props.User, UserProperty{u.Key, u.Value})
	}
	return props
}

// propertiesTo5 converts properties for paho to encode: all but the second and further
// subscription identifiers, for which it has no place.
func propertiesTo5(props *Properties) *packets.Properties {
	p := &packets.Properties{
		PayloadFormat:         props.PayloadFormat,
		MessageExpiry:         props.MessageExpiry,
		ContentType:           props.ContentType,
		ResponseTopic:         props.ResponseTopic,
		CorrelationData:       props.CorrelationData,
		SessionExpiryInterval: props.SessionExpiry,
		AssignedClientID:      props.AssignedClientID,
		ServerKeepAlive:       props.ServerKeepAlive,
		AuthMethod:            props.AuthMethod,
		AuthData:              props.AuthData,
		RequestProblemInfo:    props.RequestProblemInfo,
		WillDelayInterval:     props.WillDelay,
		RequestResponseInfo:   props.RequestResponseInfo,
		ResponseInfo:          props.ResponseInfo,
		ServerReference:       props.ServerReference,
		ReasonString:          props.ReasonString,
		ReceiveMaximum:        props.ReceiveMaximum,
		TopicAliasMaximum:     props.TopicAliasMaximum,
		TopicAlias:            props.TopicAlias,
		MaximumQOS:            props.MaximumQoS,
		RetainAvailable:       props.RetainAvailable,
		MaximumPacketSize:     props.MaximumPacketSize,
		WildcardSubAvailable:  props.WildcardSubAvailable,
		SubIDAvailable:        props.SubIDAvailable,
		SharedSubAvailable:    props.SharedSubAvailable,
	}
	if len(props.SubscriptionID) > 0 {
		id := int(props.SubscriptionID[0])
		p.SubscriptionIdentifier = &id
	}
	for _, u := range props.User {
		p.User = append(p.User, packets.User{Key: u.Key, Value: u.Value})
	}
	return p
}

// appendMessageProperties5 encodes the properties of a PUBLISH, without their length.
func appendMessageProperties5(dst []byte, props *Properties) []byte {
	dst = append(dst, propertiesTo5(props).Pack(packets.PUBLISH)...)
	for i, id := range props.SubscriptionID {
		if i > 0 {
			dst = appendVarint(append(dst, propSubscriptionID), int(id))
		}
	}
	return dst
}

// willProperties5 encodes the properties of a will, without their length. paho packs
// only some of them for a CONNECT; the others are those of a PUBLISH.
func willProperties5(props *Properties) []byte {
	delay := packets.Properties{WillDelayInterval: props.WillDelay}
	return appendMessageProperties5(delay.Pack(packets.CONNECT), props)
}
