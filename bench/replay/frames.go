package replay

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// maxFrame is the size in bytes of the largest frame that a client may send.
const maxFrame = 1 << 20

var (
	errClosed   = errors.New("the client has closed the WebSocket")
	errTooLarge = errors.New("the client sent too large a frame")
	errUnmasked = errors.New("the client sent a frame without a mask")
)

// frameReader reads the frames of a client (RFC 6455, 5). What it gives is a stream of
// bytes: where frames begin means nothing to MQTT [MQTT-6.0.0-4].
type frameReader struct {
	r *bufio.Reader
	// buffers are used in turn: a packet that goes on in the next frame is still in the
	// one of the frame before when that arrives.
	buffers [2][]byte
	frames  int // of data
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, 64<<10)}
}

// next gives the payload of the next data frame, which is good until the next call but one.
func (f *frameReader) next() ([]byte, error) {
	for {
		opcode, payload, err := f.frame()
		switch {
		case err != nil:
			return nil, err
		case opcode == opClose:
			return nil, errClosed
		case opcode < opClose:
			f.frames++
			return payload, nil
		}
	}
}

const opClose = 8 // and above it ping and pong

func (f *frameReader) frame() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 == 0 {
		return 0, nil, errUnmasked
	}
	size := int(head[1] & 0x7f)
	if extra := extraLength(size); extra > 0 {
		var long [8]byte
		if _, err := io.ReadFull(f.r, long[8-extra:]); err != nil {
			return 0, nil, err
		}
		n := binary.BigEndian.Uint64(long[:])
		if n > maxFrame {
			return 0, nil, errTooLarge
		}
		size = int(n)
	}
	var mask [4]byte
	if _, err := io.ReadFull(f.r, mask[:]); err != nil {
		return 0, nil, err
	}
	buffer := &f.buffers[f.frames&1]
	if cap(*buffer) < size {
		*buffer = make([]byte, size, 2*size)
	}
	payload = (*buffer)[:size]
	if _, err := io.ReadFull(f.r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	return head[0] & 0x0f, payload, nil
}

// extraLength is how many bytes of length follow a first length of size.
func extraLength(size int) int {
	switch size {
	case 126:
		return 2
	case 127:
		return 8
	}
	return 0
}
