package mqtt

// Codec encodes and decodes the packets of one protocol version.
type Codec interface {
	Version() Version
	// Append encodes p behind dst. The error is an *Error: p cannot be sent as it is, and
	// dst is returned unchanged. A Connect must name the codec's version.
	Append(dst []byte, p Packet) ([]byte, error)
	// Decode reads pkt, exactly one whole packet that from sent. The error is an
	// *Error with the reason code to answer with. The result does not alias pkt.
	Decode(pkt []byte, from Side) (Packet, error)
}
