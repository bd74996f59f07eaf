package rabbitmq

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeNode speaks as much of AMQP 0-9-1 as a link needs, and confirms what it is sent: with a routing key that begins with "late" some
// seconds late, with "soon" after a moment, unless its channel is held up then, with "dead" when it is told to, and with "block" then, too: meanwhile it does nothing else for that channel. What else it shall say, or not say, is a line in answer.
type fakeNode struct {
	mu     sync.Mutex
	mute   bool              // it opens no channel any more
	asked  []func()          // to open one meanwhile
	most   uint16            // channels of a connection; 0: 2047
	opened int               // channels so far, on both connections
	closed int               // of them
	got    map[string]int    // pushes by routing key
	via    map[string]uint16 // by which channel the last of them came
	dead   []func()          // answers that it keeps back
	well   bool              // it keeps no channel from going on any more
	pushes *fakeConn         // on which the last push came
}

// late and soon are how long pushes to "late…" and "soon…" wait for their confirm.
const (
	late = 5 * time.Second
	soon = 10 * time.Millisecond
)

// methods of AMQP, as class<<16 | method
const (
	connectionStart, connectionStartOk      = 10<<16 | 10, 10<<16 | 11
	connectionTune                          = 10<<16 | 30
	connectionOpen, connectionOpenOk        = 10<<16 | 40, 10<<16 | 41
	connectionClose, connectionCloseOk      = 10<<16 | 50, 10<<16 | 51
	channelOpen, channelOpenOk              = 20<<16 | 10, 20<<16 | 11
	channelClose, channelCloseOk            = 20<<16 | 40, 20<<16 | 41
	exchangeDeclare, exchangeDeclareOk      = 40<<16 | 10, 40<<16 | 11
	confirmSelect, confirmSelectOk          = 85<<16 | 10, 85<<16 | 11
	basicPublish, basicAck                  = 60<<16 | 40, 60<<16 | 80
	frameMethod, frameBody, frameBeat       = 1, 3, 8
	frameEnd                           byte = 0xCE
)

// dial gives a link to the node, over pipes.
func (n *fakeNode) dial(t *testing.T) *link {
	a, err := ParseAddress("rabbitmq://kii:pw@fake/push")
	require.NoError(t, err)
	l, err := dialOver(t.Context(), a, "fake:5672", func(context.Context, Address, string) (*impatient, error) {
		here, there := net.Pipe()
		go (&fakeConn{n: n, c: there, tags: map[uint16]uint64{}, keys: map[uint16]string{}, held: map[uint16]bool{}}).serve()
		return &impatient{Conn: here}, nil
	})
	require.NoError(t, err)
	return l
}

func (n *fakeNode) count(key string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.got[key]
}

func (n *fakeNode) channels() (opened, closed int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opened, n.closed
}

// by tells by which channel the last push with a key came.
func (n *fakeNode) by(key string) uint16 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.via[key]
}

// revive confirms what was kept back.
func (n *fakeNode) revive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, answer := range n.dead {
		go answer()
	}
	n.dead, n.well = nil, true
}

// refuse ends a channel for pushes with an error, and what it has kept back.
func (n *fakeNode) refuse(channel uint16) {
	n.mu.Lock()
	c := n.pushes
	n.dead, n.well = nil, true
	n.mu.Unlock()
	c.say(channel, channelClose, "\x01\x96", "\x03no!", "\x00\x3C", "\x00\x28")
}

// setMute has it answer no more who opens a channel, until goOn is called: then it answers those, too.
func (n *fakeNode) setMute() (goOn func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mute = true
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, answer := range n.asked {
			go answer()
		}
		n.mute, n.asked = false, nil
	}
}

// fakeConn is one connection with it.
type fakeConn struct {
	n    *fakeNode
	c    net.Conn
	tags map[uint16]uint64 // pushes by channel
	keys map[uint16]string // routing key of the push that is being read

	mu   sync.Mutex      // held by who writes
	held map[uint16]bool // channels for which it does nothing now; guarded by mu
}

func (c *fakeConn) serve() {
	over := make(chan struct{})
	defer close(over)
	defer c.c.Close()
	go c.beat(over)
	r := bufio.NewReader(c.c)
	if _, err := r.Discard(8); err != nil { // "AMQP" and the version
		return
	}
	c.say(0, connectionStart, "\x00\x09", "\x00\x00\x00\x00", "\x00\x00\x00\x05PLAIN", "\x00\x00\x00\x05en_US")
	for {
		head := make([]byte, 7)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		channel := binary.BigEndian.Uint16(head[1:])
		switch head[0] {
		case frameMethod:
			if !c.answer(channel, binary.BigEndian.Uint32(body), body[4:]) {
				return
			}
		case frameBody:
			c.stored(channel)
		}
	}
}

func (c *fakeConn) beat(over chan struct{}) {
	for {
		select {
		case <-time.After(heartbeat / 2):
			c.write(frameBeat, 0, nil)
		case <-over:
			return
		}
	}
}

func (c *fakeConn) answer(channel uint16, method uint32, args []byte) bool {
	switch method {
	case connectionStartOk:
		most := string(binary.BigEndian.AppendUint16(nil, cmp.Or(c.n.most, 2047)))
		c.say(0, connectionTune, most, "\x00\x02\x00\x00", "\x00\x0A")
	case connectionOpen:
		c.say(0, connectionOpenOk, "\x00")
	case connectionClose:
		c.say(0, connectionCloseOk)
		return false
	case channelOpen:
		delete(c.tags, channel)
		open := func() { c.say(channel, channelOpenOk, "\x00\x00\x00\x00") }
		c.n.mu.Lock()
		mute := c.n.mute
		c.n.opened++
		if mute {
			c.n.asked = append(c.n.asked, open)
		}
		c.n.mu.Unlock()
		if !mute {
			open()
		}
	case channelClose:
		c.mu.Lock()
		delete(c.held, channel)
		c.mu.Unlock()
		c.n.mu.Lock()
		c.n.closed++
		c.n.mu.Unlock()
		c.say(channel, channelCloseOk)
	case exchangeDeclare:
		c.inTurn(channel, func() { c.say(channel, exchangeDeclareOk) })
	case confirmSelect:
		c.say(channel, confirmSelectOk)
	case basicPublish:
		key := args[2:][1+args[2]:] // behind the exchange's name
		c.keys[channel] = string(key[1 : 1+key[0]])
	}
	return true
}

func (c *fakeConn) stored(channel uint16) {
	key := c.keys[channel]
	c.tags[channel]++
	tag := string(binary.BigEndian.AppendUint64(nil, c.tags[channel]))
	confirm := func() { c.say(channel, basicAck, tag, "\x00") }
	c.n.mu.Lock()
	c.n.got[key]++
	c.n.via[key], c.n.pushes = channel, c
	dead, blocks := strings.HasPrefix(key, "dead"), !c.n.well && strings.HasPrefix(key, "block")
	if dead {
		c.n.dead = append(c.n.dead, confirm)
	}
	c.n.mu.Unlock()
	c.mu.Lock()
	c.held[channel] = c.held[channel] || blocks
	held := c.held[channel]
	c.mu.Unlock()
	switch {
	case dead:
	case held:
		c.inTurn(channel, confirm)
	case strings.HasPrefix(key, "soon"):
		time.AfterFunc(soon, func() { c.inTurn(channel, confirm) })
	case strings.HasPrefix(key, "late"):
		time.AfterFunc(late, confirm)
	default:
		confirm()
	}
}

// inTurn answers, now or when the channel is held up no more.
func (c *fakeConn) inTurn(channel uint16, answer func()) {
	c.mu.Lock()
	held := c.held[channel]
	c.mu.Unlock()
	c.n.mu.Lock()
	later := held && !c.n.well
	if later {
		c.n.dead = append(c.n.dead, answer)
	}
	c.n.mu.Unlock()
	if !later {
		answer()
	}
}

func (c *fakeConn) say(channel uint16, method uint32, args ...string) {
	c.write(frameMethod, channel, append(binary.BigEndian.AppendUint32(nil, method), strings.Join(args, "")...))
}

func (c *fakeConn) write(kind byte, channel uint16, payload []byte) {
	b := append([]byte{kind}, binary.BigEndian.AppendUint16(nil, channel)...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(payload))), payload...)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.c.Write(append(b, frameEnd))
}
