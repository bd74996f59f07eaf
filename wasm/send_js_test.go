package main

import (
	"runtime"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
)

func TestReceiptsAreTold(t *testing.T) {
	seen := eval(t, `(() => { const seen = []; seen.onSent = (bytes, error) => seen.push([...bytes].join() + (error ? " " + error.code : "")); return seen })()`)
	r := &receipts{onSent: seen.Get("onSent")}
	r.tell(1, nil)
	r.tell(258, nil)
	r.tell(3, fault.New(fault.QueueFull, "full"))
	for seen.Length() < 2 {
		runtime.Gosched()
	}
	assert.Equal(t, "1,0,0,0,2,1,0,0", seen.Index(0).String(), "many at once")
	assert.Equal(t, "3,0,0,0 QUEUE_FULL", seen.Index(1).String())
	r.tell(4, nil)
	for seen.Length() < 3 {
		runtime.Gosched()
	}
	assert.Equal(t, "4,0,0,0", seen.Index(2).String())
}

func TestRoomForFrames(t *testing.T) {
	o := expressExports()
	require.Equal(t, js.TypeNumber, o.Get("notes").Type())
	for _, c := range []struct{ asked, got int }{{1, minFrame}, {minFrame + 1, 2 * minFrame}, {maxFrame + 1, 2 * minFrame}, {1 << 30, 2 * minFrame}, {maxFrame, maxFrame}, {1, maxFrame}} {
		_, err := jsx.Invoke(o.Get("room"), c.asked)
		require.NoError(t, err)
		assert.Equal(t, int32(c.got), shared.notes.frameSize)
		assert.Len(t, shared.frame, c.got)
		assert.LessOrEqual(t, len(shared.table), maxRows)
	}
	assert.Equal(t, int32(-1), expressFrame(99, 1, 0), "nobody is behind that port")
	assert.Zero(t, expressHandled(99, 1))
	assert.Equal(t, int32(-1), expressSend(99, 1), "nobody takes it")
	assert.Equal(t, int32(-1), expressSend(99, maxFrame+1))
}
