package main

import "sync"

// registry gives things handles, by which JavaScript names them.
type registry[T any] struct {
	mu    *sync.Mutex
	next  int
	items map[int]T
}

func newRegistry[T any]() registry[T] {
	return registry[T]{mu: new(sync.Mutex), items: make(map[int]T)}
}

func (r *registry[T]) add(item T) (handle int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	handle = r.next
	r.next++
	r.items[handle] = item
	return handle
}

func (r *registry[T]) set(handle int, item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items[handle] = item
}

func (r *registry[T]) get(handle int) (item T, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	item, ok = r.items[handle]
	return item, ok
}

func (r *registry[T]) remove(handle int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.items, handle)
}
