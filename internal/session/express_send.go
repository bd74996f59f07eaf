package session

import "github.com/kiiweb/kiiweb/internal/mqtt"

// Send implements transport.Lane. It takes messages at QoS 0 that may go out at once: nothing
// that was to be sent before waits, so the order is kept, and nobody waits for an answer, so there is
// nothing to keep; but while another client is suspected there is (see doubt). Everything else, and what is wrong with a message, is left to the long way. To
// whom publishes that way what he has published is with the loop before he is back in JavaScript: a call
// of the module returns when all goroutines wait.
func (n *lane) Send(receiver int32, staged []byte) (size, messages int) {
	l, k := n.l, n.k
	if !l.mu.TryLock() {
		return -1, 0
	}
	defer l.mu.Unlock()
	defer func() {
		if v := recover(); v != nil { // the long way goes on
			size, messages = -1, 0
			n.shut(v)
		}
	}()
	if n.off || l.link != k || l.receiver != receiver || !l.flowing || l.machine.phase != phaseOnline || l.careful() ||
		k.busy || k.broken != nil || len(k.out) > 0 || len(l.out.queue) > 0 || len(l.out.sent) >= l.out.max || l.suspicious() {
		return -1, 0
	}
	size, messages, ok := mqtt.PackStaged(l.version, staged, k.server.maxPacket, !k.server.noRetain)
	if !ok {
		return -1, 0
	}
	k.keep.wrote(l.now(), size)
	return size, messages
}
