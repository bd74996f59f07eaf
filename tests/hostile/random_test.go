package hostile

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// noise makes bytes for a seed: pure ones, or rows of the table with a few bytes changed.
func noise(t testing.TB, seed uint64, v mqtt.Version) Case {
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

// survive lets the row happen, whatever it leads to, and has the client be of use again:
// by itself, or with a new connection where the row has ended the first one for good.
func (g *guest) survive() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := g.connect(ctx)
		if err == nil {
			over := make(chan error, 1)
			go func() { over <- g.finish(ctx, conn) }()
			select {
			case err = <-over:
			case <-g.displaced: // by a DISCONNECT that says so
				err = errors.Join(conn.TakeBack(), <-over)
			}
			err = errors.Join(err, conn.Close(ctx))
		}
		if g.trouble = ctx.Err(); err == nil || g.trouble != nil {
			return
		}
	}
}

// TestNoise sends seeded random bytes at each stage: there is no wrong answer but a panic,
// a client that is of no use any more, or something left behind.
func TestNoise(t *testing.T) {
	const rounds = 150
	for _, transport := range []kiiweb.Transport{kiiweb.TransportTCP, kiiweb.TransportWS} {
		t.Run(string(transport), func(t *testing.T) {
			b := Start(t)
			room := make(chan struct{}, atOnce)
			var under sync.WaitGroup
			for seed := range uint64(rounds) {
				for _, v := range (Case{}).Versions() {
					g := newGuest(t, transport, b.Expect(ClientID(int(seed), v), noise(t, seed, v), v))
					under.Go(func() {
						room <- struct{}{}
						g.survive()
						assert.NoError(t, g.trouble, "%s: % x", g.visit.Case.Title(v), g.visit.Case.bytes)
						<-room
					})
				}
			}
			under.Wait()
		})
	}
}
