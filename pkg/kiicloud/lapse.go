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

	until atomic.Int64 // when it lapses, in seconds since 1970; 0: not known yet
	said  struct {
		until time.Time
		stage lapseStage
		at    time.Time
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
	first := firstToLapse(pair)
	if first == nil {
		return lapseEvery
	}
	l.until.Store(first.NotAfter.Unix())
	stage, next := stageOf(first, now)
	if stage != lapseFar && (stage != l.said.stage || !first.NotAfter.Equal(l.said.until) || now.Sub(l.said.at) >= lapseAgain) {
		l.say(stage, first, now)
		l.said.at = now
	}
	l.said.stage, l.said.until = stage, first.NotAfter
	return min(lapseEvery, next)
}

func (l *lapseWatch) say(stage lapseStage, c *x509.Certificate, now time.Time) {
	if stage == lapseOver {
		l.log.Error("the certificate has lapsed: clients refuse it", "certificate", c.Subject.String(), "since", c.NotAfter, "remedy", l.remedy)
		return
	}
	l.log.Warn("the certificate lapses soon: clients will refuse it then", "certificate", c.Subject.String(), "until", c.NotAfter,
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

// firstToLapse is the certificate of a chain with the earliest end.
func firstToLapse(pair *tls.Certificate) (first *x509.Certificate) {
	for i, raw := range pair.Certificate {
		c := pair.Leaf
		if i > 0 || c == nil {
			var err error
			if c, err = x509.ParseCertificate(raw); err != nil {
				continue // what stands behind the leaf need not be of use
			}
		}
		if first == nil || c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	return first
}
