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
	policyEvery  = 5 * time.Minute // between looks whether the policy is there
)

// policy is what bounds RabbitMQ's queues.
type policy interface {
	// set makes it.
	set(context.Context) error
	// there tells whether the cluster has it. An error: that is not known.
	there(context.Context) (bool, error)
}

// keeper keeps a link to some node of the cluster. When one ends, another takes its place.
type keeper struct {
	address Address
	policy  policy
	log     *slog.Logger
	unruly  *outage // of the settings of the policy

	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	current *link
	change  chan struct{} // closed, and made anew, when current or why changes
	why     error         // why there is no link
	policed bool          // the policy was set, and not missed since
	unruled error         // why not
	links   int64         // that there have been
}

func keep(a Address, policy policy, log *slog.Logger) *keeper {
	ctx, stop := context.WithCancel(context.Background())
	k := &keeper{address: a, policy: policy, log: log, unruly: newOutage(log, "the policy of the queues cannot be set", "at"), stop: stop, done: make(chan struct{}), change: make(chan struct{}),
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
		if k.hadLink() {
			l.beWary() // a node may have died, and with it the leaders of many queues
		}
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

// mind waits for the end of a link, or of ctx, and looks after the policy meanwhile.
func (k *keeper) mind(ctx context.Context, l *link) (why error) {
	ctx, cancel := context.WithCancel(ctx)
	policed := make(chan struct{})
	go func() {
		defer close(policed)
		k.patrol(ctx)
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

func (k *keeper) hadLink() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.links > 0
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

// patrol has the policy set, and again when it has vanished: somebody has deleted it, or the cluster has lost what it had. One that
// somebody has changed stays as it is: that it is another one is on purpose.
func (k *keeper) patrol(ctx context.Context) {
	for ctx.Err() == nil {
		if k.hasPoliced() {
			if there, err := k.policy.there(ctx); err == nil && !there {
				k.missed()
			}
		}
		k.police(ctx)
		pause(ctx, policyEvery/2+rand.N(policyEvery)) // the processes of a cloud take turns, roughly
	}
}

// missed notes that the policy is not there.
func (k *keeper) missed() {
	k.log.Warn("the policy of the queues has vanished from RabbitMQ and is set again")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.policed = false
}

func (k *keeper) hasPoliced() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.policed
}

// police sets the policy unless that was done. Check tells when it was not.
func (k *keeper) police(ctx context.Context) {
	if k.hasPoliced() {
		return
	}
	err := k.policy.set(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		k.unruly.fails(atRabbitMQ, err)
	} else {
		k.unruly.works(atRabbitMQ)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.policed, k.unruled = err == nil, err
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
