package mqtt

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func versionName(v Version) string { return "version " + strconv.Itoa(int(v)) }

func TestCheckPasses(t *testing.T) {
	for _, c := range valid5 {
		t.Run(c.name, func(t *testing.T) { require.NoError(t, Check(V5, c.from, raw(t, c.bytes))) })
	}
	for _, c := range valid3 {
		for _, v := range c.versions {
			t.Run(c.name+", "+versionName(v), func(t *testing.T) { require.NoError(t, Check(v, c.from, raw(t, c.bytes))) })
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range malformed {
		for _, v := range c.versions {
			t.Run(c.name+", "+versionName(v), func(t *testing.T) {
				err := Check(v, c.from, raw(t, c.bytes))
				var e *Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, c.reason, e.Reason, e.Msg)
				if c.clause != "-" { // the versions' clauses differ, and another case names them
					assert.Equal(t, c.clause, e.Clause, e.Msg)
				}
				assert.NotEmpty(t, e.Msg)
			})
		}
	}
}

// Cutting a packet's end off, with a remaining length that fits, must break it, unless
// what was cut is the payload or a part that may be left out.
func TestCheckRefusesTruncated(t *testing.T) {
	for _, c := range valid5 {
		pkt := raw(t, c.bytes)
		var r reader
		r.open(V5, pkt)
		require.NoError(t, Check(V5, c.from, pkt))
		require.Nil(t, r.err)
		body := r.b
		shortest := shortestBody(c.want, body)
		for n := 0; n < shortest; n++ {
			cut := append(appendVarint([]byte{pkt[0]}, n), body[:n]...)
			if mayEnd(c.want, n) {
				continue
			}
			assert.Error(t, Check(V5, c.from, cut), "%s cut to %d bytes", c.name, n)
		}
	}
}

// shortestBody is the length of body without its optional end.
func shortestBody(p Packet, body []byte) int {
	switch p := p.(type) {
	case *Publish:
		return len(body) - len(p.Payload)
	case *Suback:
		return len(body) - len(p.ReasonCodes) + 1
	case *Unsuback:
		return len(body) - len(p.ReasonCodes) + 1
	}
	return len(body)
}

// mayEnd tells whether p is whole with n bytes of its body.
func mayEnd(p Packet, n int) bool {
	switch p := p.(type) {
	case *Ack:
		return n == 2 || n == 3
	case *Disconnect:
		return n < 2
	case *Auth:
		return n == 0
	case *Subscribe:
		return n > 0 && endsBehind(n, p)
	case *Unsubscribe:
		return n == 6
	}
	return false
}

// endsBehind tells whether the SUBSCRIBE of the table is whole behind one of its filters.
func endsBehind(n int, p *Subscribe) bool {
	end := 2 + 1
	if p.Properties.SubscriptionID != nil {
		end += 3
	}
	for _, u := range p.Properties.User {
		end += 5 + len(u.Key) + len(u.Value)
	}
	for _, s := range p.Subscriptions {
		if end += 3 + len(s.Filter); n == end {
			return true
		}
	}
	return false
}

func TestCheckAllocatesNothing(t *testing.T) {
	for _, c := range valid5 {
		pkt := raw(t, c.bytes)
		allocs := testing.AllocsPerRun(100, func() {
			if err := Check(V5, c.from, pkt); err != nil {
				t.Fatal(err)
			}
		})
		assert.Zero(t, allocs, c.name)
	}
}

func TestErrorNamesTheClause(t *testing.T) {
	err := Check(V5, FromServer, raw(t, "36 | <t> 0001 { }"))
	require.EqualError(t, err, "the QoS is 3 [MQTT-3.3.1-4]")
	err = Check(V5, FromServer, raw(t, "C0"))
	require.EqualError(t, err, "the packet ends inside a field")
}

func TestReasonCodeNames(t *testing.T) {
	assert.Equal(t, "Success", Success.String())
	assert.Equal(t, "Session taken over", SessionTakenOver.String())
	assert.Equal(t, "reason code 0x55", ReasonCode(0x55).String())
	for c, def := range reasons {
		assert.Equal(t, def.name == "", def.in == 0, "reason code %#x has a name and a place, or neither", c)
	}
}
