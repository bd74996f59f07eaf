package rabbitmq

import (
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// alarm is what RabbitMQ says of a connection on which pushes are sent: that it reads nothing from it, for want of memory
// or disk, and that it does again. It says so first when something is sent.
type alarm struct {
	host string

	mu     sync.Mutex
	reason string
	up     chan struct{} // closed while there is one
}

func newAlarm(host string) *alarm { return &alarm{host: host, up: make(chan struct{})} }

// watch notes the changes. It ends with the connection.
func (a *alarm) watch(changes <-chan amqp.Blocking) {
	for b := range changes {
		a.set(b)
	}
}

func (a *alarm) set(b amqp.Blocking) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reason = b.Reason
	switch raised := isClosed(a.up); {
	case b.Active && !raised:
		close(a.up)
	case !b.Active && raised:
		a.up = make(chan struct{})
	}
}

// raised is closed while there is an alarm, or when the next one comes.
func (a *alarm) raised() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.up
}

// why is the error of who wants to send something now, or nil.
func (a *alarm) why() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !isClosed(a.up) {
		return nil
	}
	return fmt.Errorf("%w now (%s): %s", errAlarm, a.host, a.reason)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
