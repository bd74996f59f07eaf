package mqtt

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// seed calls add with every packet of the byte tables.
func seed(f *testing.F, add func(v Version, from Side, pkt []byte)) {
	for _, c := range valid5 {
		add(V5, c.from, raw(f, c.bytes))
	}
	for _, c := range valid3 {
		for _, v := range c.versions {
			add(v, c.from, raw(f, c.bytes))
		}
	}
	for _, c := range malformed {
		for _, v := range c.versions {
			add(v, c.from, raw(f, c.bytes))
		}
	}
}

func seedPackets(f *testing.F) {
	seed(f, func(v Version, from Side, pkt []byte) { f.Add(byte(v), byte(from), pkt) })
}

// FuzzSplitter: however a stream is cut into chunks, the packets and the error are the
// same, and the packets are the stream.
func FuzzSplitter(f *testing.F) {
	var stream []byte
	seed(f, func(_ Version, _ Side, pkt []byte) {
		stream = append(stream, pkt...)
		f.Add(pkt, []byte{1, 2, 3}, uint16(0))
	})
	f.Add(stream, []byte{5, 0, 200}, uint16(1000))
	f.Fuzz(func(t *testing.T, stream, cuts []byte, max uint16) {
		want, wantErr := split(t, NewSplitter(int(max)), stream)
		require.True(t, bytes.HasPrefix(stream, bytes.Join(want, nil)))
		for _, pkt := range want {
			var r reader
			r.openAny(anyVersion, pkt)
			require.Nil(t, r.err)
		}
		var chunks [][]byte
		rest := stream
		for _, cut := range cuts {
			n := min(int(cut), len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		got, err := split(t, NewSplitter(int(max)), append(chunks, rest)...)
		require.Equal(t, want, got)
		require.Equal(t, wantErr, err)
	})
}

// FuzzCheck: what Check passes, the codec decodes; what it decodes, it encodes; and what
// it encodes, Check passes, and means the same.
func FuzzCheck(f *testing.F) {
	seedPackets(f)
	f.Fuzz(func(t *testing.T, version, side byte, pkt []byte) {
		v, from := Version(version), Side(side&1)
		checked := Check(v, from, pkt)
		codec, err := NewCodec(v)
		if err != nil {
			require.Error(t, checked)
			return
		}
		decoded, err := codec.Decode(pkt, from)
		require.Equal(t, checked, err)
		if err != nil {
			require.Nil(t, decoded)
			return
		}
		out, err := codec.Append(nil, decoded)
		require.NoError(t, err)
		require.NoError(t, Check(v, from, out))
		again, err := codec.Decode(out, from)
		require.NoError(t, err)
		require.Equal(t, decoded, again)
	})
}

// FuzzParse: a parser accepts what Check accepts, and gives what the codec gives.
func FuzzParse(f *testing.F) {
	seedPackets(f)
	f.Fuzz(func(t *testing.T, version, side byte, pkt []byte) {
		v, from := Version(version), Side(side&1)
		parsed, ok, err := parse(v, from, pkt)
		if !ok {
			return
		}
		switch PacketTypeOf(pkt) {
		case CONNECT:
			from = FromClient
			if v, _ = ConnectVersion(pkt); v == 0 {
				require.Error(t, err)
				return
			}
		case SUBSCRIBE, UNSUBSCRIBE:
			from = FromClient
		case PUBACK, PUBREC, PUBREL, PUBCOMP: // parsed whoever sent it
			if from = FromClient; Check(v, FromClient, pkt) != nil {
				from = FromServer
			}
		}
		checked := Check(v, from, pkt)
		require.Equal(t, checked == nil, err == nil, "parser: %v, check: %v", err, checked)
		if err == nil {
			decoded, err := newCodec(t, v).Decode(pkt, from)
			require.NoError(t, err)
			require.Equal(t, decoded, parsed)
		}
	})
}

// FuzzDecodeProperties: properties alone mean what they mean in their packet, and a user
// property is found where it is.
func FuzzDecodeProperties(f *testing.F) {
	seed(f, func(v Version, from Side, pkt []byte) {
		if p, err := ParsePublish(V5, from, pkt); v == V5 && err == nil {
			f.Add(p.Properties)
		}
	})
	for _, notation := range []string{"1F <why> 26 <k> <v>", "21 0001 22 0002 27 00000003", "15 <m> 16 0001 09"} {
		f.Add(raw(f, notation))
	}
	codec := newCodec(f, V5)
	f.Fuzz(func(t *testing.T, props []byte) {
		got, err := DecodeProperties(props)
		if err == nil {
			requireFound(t, props, got.User)
		}
		body := append(appendVarint(raw(t, "<t>"), len(props)), props...)
		pkt := append(appendVarint([]byte{0x30}, len(body)), body...)
		decoded, checked := codec.Decode(pkt, FromServer)
		if err != nil {
			require.Error(t, checked)
		}
		if checked == nil {
			require.Equal(t, decoded.(*Publish).Properties, got)
		}
	})
}

// requireFound demands that FindUserProperty finds the first of each name.
func requireFound(t *testing.T, props []byte, user []UserProperty) {
	t.Helper()
	first := map[string]string{}
	for _, u := range user {
		if _, ok := first[u.Key]; !ok {
			first[u.Key] = u.Value
		}
	}
	for key, want := range first {
		value, ok := FindUserProperty(props, key)
		require.True(t, ok)
		require.Equal(t, want, string(value))
	}
}
