package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
)

const (
	linkPatience = 5 * time.Second // how long a call waits for a connection
	retryFirst   = 100 * time.Millisecond
	retryMost    = 5 * time.Second
)

// keeper keeps a link to some node of the cluster. When one ends, another takes its place.
type keeper struct {
	address Address
	policy  func(context.Context) error // to be run once, when the cluster is reached
	log     *slog.Logger

	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	current *link
	change  chan struct{} // closed, and made anew, when current or why changes
	why     error         // why there is no link
	policed bool
	unruled error // why not
	links   int64 // that there have been
}

func keep(a Address, policy func(context.Context) error, log *slog.Logger) *keeper {
	ctx, stop := context.WithCancel(context.Background())
	k := &keeper{address: a, policy: policy, log: log, stop: stop, done: make(chan struct{}), change: make(chan struct{}),
		why: errors.New("the first connection is not there yet")}
	go k.run(ctx)
	return k
}

// close ends the link and waits for the goroutine.
func (k *keeper) close() {
	k.stop()
	<-k.done
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	wait := retryFirst
	for i := 0; ctx.Err() == nil; i++ {
		host := k.address.Hosts[i%len(k.address.Hosts)]
		l, err := dial(ctx, k.address, host)
		if err != nil {
			k.set(nil, err)
			if ctx.Err() == nil {
				k.log.Warn("no connection to RabbitMQ", "host", host, "error", err)
			}
			if (i+1)%len(k.address.Hosts) == 0 { // all were tried
				pause(ctx, wait/2+rand.N(wait/2))
				wait = min(2*wait, retryMost)
			}
			continue
		}
		wait = retryFirst
		k.set(l, nil)
		k.log.Info("connected to RabbitMQ", "host", host)
		if err := k.mind(ctx, l); ctx.Err() == nil {
			k.set(nil, fmt.Errorf("the connection to %s has ended: %v", host, err))
			k.log.Warn("the connection to RabbitMQ has ended", "host", host, "error", err)
		}
		l.close()
	}
	k.set(nil, errors.New("the engine is shut down"))
}

// mind waits for the end of a link, or of ctx, and has the policy set meanwhile.
func (k *keeper) mind(ctx context.Context, l *link) (why error) {
	ctx, cancel := context.WithCancel(ctx)
	policed := make(chan struct{})
	go func() {
		defer close(policed)
		k.police(ctx)
	}()
	select {
	case err := <-l.push.gone:
		why = reason(err)
	case err := <-l.work.gone:
		why = reason(err)
	case <-ctx.Done():
	}
	cancel()
	<-policed
	return why
}

func reason(err *amqp.Error) error {
	if err == nil { // a nil *amqp.Error is no nil error
		return errors.New("closed")
	}
	return err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (k *keeper) set(l *link, why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l != nil {
		k.links++
	}
	k.current, k.why = l, why
	close(k.change)
	k.change = make(chan struct{})
}

// police runs the policy until it was done once. Check tells when it was not.
func (k *keeper) police(ctx context.Context) {
	k.mu.Lock()
	done := k.policed
	k.mu.Unlock()
	if done {
		return
	}
	if err := k.policy(ctx); err != nil {
		if ctx.Err() != nil {
			return
		}
		k.log.Error("the policy of the queues could not be set", "error", err)
		k.mu.Lock()
		k.unruled = err
		k.mu.Unlock()
		return
	}
	k.mu.Lock()
	k.policed = true
	k.mu.Unlock()
}

// link gives the current link, and waits for one for a moment. The error is engine.ErrUnavailable.
func (k *keeper) link(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	for {
		k.mu.Lock()
		l, why, change := k.current, k.why, k.change
		k.mu.Unlock()
		if l != nil {
			if !l.ended() {
				return l, nil
			}
			why = fmt.Errorf("the connection to %s has ended", l.host)
		}
		if errors.Is(why, ErrAccess) || errors.Is(why, ErrCertificate) && len(k.address.Hosts) == 1 { // waiting does not help
			return nil, fmt.Errorf("%w: %w", engine.ErrUnavailable, why)
		}
		select {
		case <-change:
		case <-k.done:
			return nil, fmt.Errorf("%w: the engine is shut down", engine.ErrUnavailable)
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", engine.ErrUnavailable, why)
		}
	}
}

// check tells what is wrong.
func (k *keeper) check(ctx context.Context) error {
	l, err := k.link(ctx)
	if err != nil {
		return err
	}
	if err := l.look(ctx); err != nil {
		return fmt.Errorf("RabbitMQ at %s: %w", l.host, err)
	}
	if err := l.trouble(); err != nil {
		return err
	}
	k.police(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.policed {
		return fmt.Errorf("the policy that bounds RabbitMQ's queues is not set: %w", errors.Join(k.unruled, ctx.Err()))
	}
	return nil
}
