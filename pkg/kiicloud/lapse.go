package kiicloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"sync/atomic"
	"time"
)

// How long before its end a certificate is warned of: so long, or that share of its life where that is less. Those that
// live for some days are renewed when half of that is over, and are no reason to worry until then.
const (
	warnEarly, earlyShare = 14 * 24 * time.Hour, 4
	warnLate, lateShare   = 24 * time.Hour, 12

	lapseEvery = 10 * time.Minute // between looks: the certificate may have become another one
	lapseAgain = 24 * time.Hour   // until the same is said again
)

// lapseWatch tells the log before the certificate that clients are shown lapses, and when it has: who looks after the cloud learns
// of a renewal that fails while there is time to mend it.
type lapseWatch struct {
	get    func(*tls.ClientHelloInfo) (*tls.Certificate, error) // what clients are shown
	remedy string
	log    *slog.Logger
	roots  *x509.CertPool // by which this machine judges chains; nil: the system's

	until atomic.Int64 // when it lapses, in seconds since 1970; 0: not known yet
	said  struct {
		until time.Time
		stage lapseStage
		at    time.Time
		spare time.Time // the end of the last certificate that was said to be missed by few
	}
}

// lapseStage is how near the end is.
type lapseStage int

const (
	lapseFar lapseStage = iota
	lapseEarly
	lapseLate
	lapseOver
)

// run looks at once, then now and then, until ctx ends.
func (l *lapseWatch) run(ctx context.Context) {
	for {
		timer := time.NewTimer(l.look(time.Now()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// look says what there is to say, and gives when to look again.
func (l *lapseWatch) look(now time.Time) time.Duration {
	pair, err := l.get(nil)
	if err != nil { // which is logged where it happens
		return lapseEvery
	}
	chain := parsed(pair)
	if len(chain) == 0 {
		return lapseEvery
	}
	first, spare := l.firstToLapse(chain)
	if spare != nil && !now.Before(spare.NotAfter) && !spare.NotAfter.Equal(l.said.spare) {
		l.said.spare = spare.NotAfter
		l.log.Warn("a certificate behind the leaf has lapsed: this machine knows another way to a root, but clients with older roots refuse the chain",
			"certificate", spare.Subject.String(), "issuer", spare.Issuer.String(), "since", spare.NotAfter,
			"remedy", "leave it out of the file of -tls-cert, or have the CA's present chain there")
	}
	l.until.Store(first.NotAfter.Unix())
	stage, next := stageOf(first, now)
	if stage != lapseFar && (stage != l.said.stage || !first.NotAfter.Equal(l.said.until) || now.Sub(l.said.at) >= lapseAgain) {
		l.say(stage, first, first == chain[0], now)
		l.said.at = now
	}
	l.said.stage, l.said.until = stage, first.NotAfter
	return min(lapseEvery, next)
}

func (l *lapseWatch) say(stage lapseStage, c *x509.Certificate, leaf bool, now time.Time) {
	over, soon := "the certificate has lapsed: clients refuse it", "the certificate lapses soon: clients will refuse it then"
	if !leaf {
		over = "a certificate behind the leaf has lapsed: clients that know no other way to a root refuse the chain"
		soon = "a certificate behind the leaf lapses soon: clients that know no other way to a root will refuse the chain then"
	}
	if stage == lapseOver {
		l.log.Error(over, "certificate", c.Subject.String(), "since", c.NotAfter, "remedy", l.remedy)
		return
	}
	l.log.Warn(soon, "certificate", c.Subject.String(), "until", c.NotAfter,
		"left", c.NotAfter.Sub(now).Round(time.Second), "remedy", l.remedy)
}

// lapses is when the certificate does; the zero time: not known.
func (l *lapseWatch) lapses() time.Time {
	if at := l.until.Load(); at != 0 {
		return time.Unix(at, 0)
	}
	return time.Time{}
}

// stageOf tells how near a certificate's end is, and when it will have come to the next stage.
func stageOf(c *x509.Certificate, now time.Time) (stage lapseStage, next time.Duration) {
	life := c.NotAfter.Sub(c.NotBefore)
	for _, s := range []struct {
		before time.Duration
		stage  lapseStage
	}{{min(warnEarly, life/earlyShare), lapseFar}, {min(warnLate, life/lateShare), lapseEarly}, {0, lapseLate}} {
		if begins := c.NotAfter.Add(-s.before); now.Before(begins) {
			return s.stage, begins.Sub(now)
		}
	}
	return lapseOver, lapseAgain
}

// parsed are the certificates of a chain, the leaf first; none where that cannot be read.
func parsed(pair *tls.Certificate) (chain []*x509.Certificate) {
	for i, raw := range pair.Certificate {
		c := pair.Leaf
		if i > 0 || c == nil {
			var err error
			if c, err = x509.ParseCertificate(raw); err != nil {
				if i == 0 {
					return nil
				}
				continue // what stands behind the leaf need not be of use
			}
		}
		chain = append(chain, c)
	}
	return chain
}

// firstToLapse is the certificate of a chain with the earliest end. Behind the leaf those do not count without which this machine finds
// its way to a root, as clients do that have the same roots: a CA's new root, say, that an old one has signed, too. spare is the first of them to lapse.
func (l *lapseWatch) firstToLapse(chain []*x509.Certificate) (first, spare *x509.Certificate) {
	first = chain[0]
	for _, c := range chain[1:] {
		switch {
		case c.NotAfter.Before(first.NotAfter) && l.needed(chain, c.NotAfter):
			first = c
		case c.NotAfter.Before(chain[0].NotAfter) && (spare == nil || c.NotAfter.Before(spare.NotAfter)):
			spare = c
		}
	}
	if spare != nil && !spare.NotAfter.Before(first.NotAfter) {
		spare = nil // clients refuse the chain before that
	}
	return first, spare
}

// needed tells whether this machine finds no way from the leaf to a root when what lapses until then has lapsed.
func (l *lapseWatch) needed(chain []*x509.Certificate, then time.Time) bool {
	rest := x509.NewCertPool()
	for _, c := range chain[1:] {
		rest.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: l.roots, Intermediates: rest, CurrentTime: then.Add(time.Second)})
	return err != nil
}
