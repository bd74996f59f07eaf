package kiicloud

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookAgain is brought.every.
const lookAgain = 10 * time.Second

// brought is the operator's certificate. Such ones are renewed every few weeks, by programs that put new
// files in the place of the old ones: so it is read again when the files have changed. What cannot be used, as
// when only one of the two is there yet, or it may not be read yet, which files do not show, is tried at each look, and the old one goes on.
type brought struct {
	certFile, keyFile string
	log               *slog.Logger
	every             time.Duration // how often it is looked whether the files have changed

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  [2]fileStamp // of the files when they were read last
	looked time.Time
	failed string // why the files could not be used when they were read last; "": they could
}

// fileStamp tells one state of a file from another. What is not there has the zero value.
type fileStamp struct {
	at   time.Time
	size int64
}

func stampOf(file string) (s fileStamp) {
	if info, err := os.Stat(file); err == nil {
		s = fileStamp{info.ModTime(), info.Size()}
	}
	return s
}

// read reads the files. The caller holds mu, or is the only one.
func (b *brought) read() error {
	b.stamp = [2]fileStamp{stampOf(b.certFile), stampOf(b.keyFile)} // before they are read: what changes meanwhile is read again
	b.looked = time.Now()
	pair, err := tls.LoadX509KeyPair(b.certFile, b.keyFile)
	if err != nil {
		return err
	}
	b.pair = &pair
	return nil
}

// get is the certificate for a handshake.
func (b *brought) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.looked) < b.every {
		return b.pair, nil
	}
	b.looked = time.Now()
	before := b.stamp
	if b.failed == "" && before == [2]fileStamp{stampOf(b.certFile), stampOf(b.keyFile)} {
		return b.pair, nil
	}
	if err := b.read(); err != nil {
		if b.stamp != before || err.Error() != b.failed { // once
			b.log.Error("the new certificate cannot be used, the old one goes on", "file", b.certFile, "error", err)
		}
		b.failed = err.Error()
		return b.pair, nil
	}
	b.failed = ""
	b.log.Info("the certificate was renewed", "file", b.certFile, "until", b.pair.Leaf.NotAfter)
	return b.pair, nil
}
