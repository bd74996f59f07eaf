package hostile

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

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
					g := newGuest(t, transport, b.Expect(ClientID(int(seed), v), Noise(t, seed, v), v))
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
