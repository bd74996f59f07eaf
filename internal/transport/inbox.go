package transport

import "sync"

// inbox is the bounded queue between those who must not wait (callbacks of the
// browser) and the one who reads.
type inbox[T any] struct {
	mu      sync.Mutex
	changed *sync.Cond
	items   []item[T]
	size    int // the cost of all items
	limit   int
	err     error         // why no more will come
	done    chan struct{} // closed when err is set
}

type item[T any] struct {
	value T
	cost  int
}

func newInbox[T any](limit int) *inbox[T] {
	b := &inbox[T]{limit: limit, done: make(chan struct{})}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// push adds a value and tells whether there was room for it. An empty inbox takes
// anything. After the end values are ignored.
func (b *inbox[T]) push(value T, cost int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return true
	}
	if len(b.items) > 0 && b.size+cost > b.limit {
		return false
	}
	b.items = append(b.items, item[T]{value, cost})
	b.size += cost
	b.changed.Signal()
	return true
}

// end says that nothing more will come, because of err. The first reason counts.
func (b *inbox[T]) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endLocked(err)
}

func (b *inbox[T]) endLocked(err error) {
	if b.err != nil {
		return
	}
	b.err = err
	close(b.done)
	b.changed.Broadcast()
}

// abandon drops what is left and makes err the reason, whatever it was before.
func (b *inbox[T]) abandon(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items, b.size = nil, 0
	b.endLocked(err)
	b.err = err
}

// pop waits for the oldest value. When all were taken it gives the reason of the end.
func (b *inbox[T]) pop() (T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.items) == 0 && b.err == nil {
		b.changed.Wait()
	}
	if len(b.items) == 0 {
		var none T
		return none, b.err
	}
	first := b.items[0]
	b.items[0] = item[T]{}
	b.items = b.items[1:]
	b.size -= first.cost
	return first.value, nil
}

// reason is why no more will come, or nil.
func (b *inbox[T]) reason() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
