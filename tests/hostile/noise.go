package hostile

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Noise makes a row for a seed, of random bytes, or of rows of the table with a few bytes
// changed. There is no wrong answer to it but a panic or a client that is of no use any more.
func Noise(t testing.TB, seed uint64, v mqtt.Version) Case {
	r := rand.New(rand.NewPCG(seed, uint64(v)))
	c := Case{Name: "noise " + strconv.FormatUint(seed, 10), In: []mqtt.Version{v}, At: Stage(r.IntN(3)), Cut: true, bytes: []byte{}}
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(300) {
			c.bytes = append(c.bytes, byte(r.Uint32()))
		}
		return c
	}
	rows := Table()
	for range 1 + r.IntN(5) {
		b := parse(t, rows[r.IntN(len(rows))].Bytes, v, 1)
		for range r.IntN(4) {
			i := r.IntN(len(b))
			switch r.IntN(4) {
			case 0:
				b[i] ^= 1 << r.IntN(8)
			case 1:
				b[i] = byte(r.Uint32())
			case 2:
				b = append(b[:i], b[min(i+1, len(b)-1):]...)
			case 3:
				b = append(b[:i], append([]byte{byte(r.Uint32())}, b[i:]...)...)
			}
		}
		c.bytes = append(c.bytes, b...)
	}
	return c
}
