package jsx

import "syscall/js"

var (
	uint8Array  = global.Get("Uint8Array")
	arrayBuffer = global.Get("ArrayBuffer")
)

// Uint8Array copies b into a new Uint8Array.
func Uint8Array(b []byte) js.Value {
	v := uint8Array.New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}

// Bytes copies a Uint8Array, or an ArrayBuffer, into Go. ok is false for anything else;
// what was detached is empty.
func Bytes(v js.Value) (b []byte, ok bool) {
	switch {
	case TypeOf(v) != js.TypeObject:
		return nil, false
	case InstanceOf(v, arrayBuffer):
		view, err := New(uint8Array, v)
		if err != nil {
			return nil, true
		}
		v = view
	case !isUint8Array(v):
		return nil, false
	}
	size, err := Get(v, "length")
	if err != nil || TypeOf(size) != js.TypeNumber {
		return nil, false
	}
	if size.Int() == 0 {
		return []byte{}, true // of a detached buffer CopyBytesToGo could not even make a view
	}
	b = make([]byte, size.Int())
	return b[:js.CopyBytesToGo(b, v)], true
}

// isUint8Array is true for a genuine one only, so that CopyBytesToGo cannot fail on it.
func isUint8Array(v js.Value) bool {
	view, err := Call(arrayBuffer, "isView", v)
	return err == nil && view.Bool() && InstanceOf(v, uint8Array)
}
