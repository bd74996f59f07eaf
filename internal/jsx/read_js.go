package jsx

import (
	"math"
	"strconv"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// Reader reads one argument strictly: nothing is converted. name is what the error,
// an INVALID_ARGUMENT, calls the argument.
type Reader[T any] func(name string, v js.Value) (T, error)

// maxText is the length, in UTF-16 code units, of the longest text that is read: a
// browser's strings can be larger than the program's memory.
const maxText = 1 << 20

// TextLength gives the length in UTF-16 code units of a string.
func TextLength(v js.Value) int { return objectClass.Invoke(v).Get("length").Int() }

// String reads a string, which may be empty.
func String(name string, v js.Value) (string, error) {
	if TypeOf(v) != js.TypeString {
		return "", invalid(name, "must be a string", v)
	}
	if TextLength(v) > maxText {
		return "", tooLong(name)
	}
	return v.String(), nil
}

// NonEmpty reads a string that is not empty.
func NonEmpty(name string, v js.Value) (string, error) {
	s, err := String(name, v)
	if err == nil && s == "" {
		return "", fault.New(fault.InvalidArgument, name+" must not be empty.")
	}
	return s, err
}

// Bool reads true or false.
func Bool(name string, v js.Value) (bool, error) {
	if TypeOf(v) != js.TypeBoolean {
		return false, invalid(name, "must be true or false", v)
	}
	return v.Bool(), nil
}

// Int gives the reader of a whole number from min to max.
func Int(min, max int) Reader[int] {
	return func(name string, v js.Value) (int, error) {
		if TypeOf(v) != js.TypeNumber {
			return 0, invalid(name, "must be a number", v)
		}
		f := v.Float()
		if f != math.Trunc(f) || !(f >= float64(min) && f <= float64(max)) {
			return 0, fault.New(fault.InvalidArgument, name+" must be a whole number from "+
				strconv.Itoa(min)+" to "+strconv.Itoa(max)+", but is "+strconv.FormatFloat(f, 'g', -1, 64)+".")
		}
		return int(f), nil
	}
}

// Function reads a function.
func Function(name string, v js.Value) (js.Value, error) {
	if TypeOf(v) != js.TypeFunction {
		return js.Undefined(), invalid(name, "must be a function", v)
	}
	return v, nil
}

// Object reads an object that holds named values; arrays, dates, promises and the like are none.
func Object(name string, v js.Value) (js.Value, error) {
	if TypeOf(v) != js.TypeObject || !isPlain(v) {
		return js.Undefined(), invalid(name, "must be an object", v)
	}
	return v, nil
}

var objectToString = global.Get("Object").Get("prototype").Get("toString")

func isPlain(v js.Value) bool {
	kind, err := Invoke(uncurriedCall, objectToString, v)
	return err == nil && kind.String() == "[object Object]"
}

// ByteArray reads a Uint8Array into a copy.
func ByteArray(name string, v js.Value) ([]byte, error) {
	if TypeOf(v) == js.TypeObject && isUint8Array(v) {
		if b, ok := Bytes(v); ok {
			return b, nil
		}
	}
	return nil, invalid(name, "must be a Uint8Array", v)
}

// JSON reads anything that JSON.stringify can write, as ParseJSON gives it.
func JSON(name string, v js.Value) (any, error) {
	text, err := Invoke(jsonStringify, v)
	if err != nil || TypeOf(text) != js.TypeString {
		e := invalid(name, "must be a value that JSON can hold", v)
		e.Cause = err
		return nil, e
	}
	if TextLength(text) > maxText {
		return nil, tooLong(name)
	}
	parsed, err := parse(text)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, name+" cannot be read", err)
	}
	return parsed, nil
}

// Field reads the property field of object, which the error calls object's name, a dot and field.
func Field[T any](name string, object js.Value, field string, read Reader[T]) (T, error) {
	v, err := Get(object, field)
	if err != nil {
		var none T
		return none, fault.Wrap(fault.InvalidArgument, name+"."+field+" cannot be read", err)
	}
	return read(name+"."+field, v)
}

// FieldOr is Field, but gives fallback when the property is undefined or absent.
func FieldOr[T any](name string, object js.Value, field string, read Reader[T], fallback T) (T, error) {
	return Field(name, object, field, func(full string, v js.Value) (T, error) {
		if v.IsUndefined() {
			return fallback, nil
		}
		return read(full, v)
	})
}

func tooLong(name string) *fault.Error {
	return fault.New(fault.InvalidArgument, name+" is too long.")
}

func invalid(name, rule string, v js.Value) *fault.Error {
	return fault.New(fault.InvalidArgument, name+" "+rule+", but is "+describe(v)+".")
}

// describe names the kind of a value and never its content, which may be a secret.
func describe(v js.Value) string {
	switch TypeOf(v) {
	case js.TypeUndefined, js.TypeNull:
		return v.Type().String()
	case typeBigInt:
		return "a bigint"
	case js.TypeObject:
		kind, err := Invoke(uncurriedCall, objectToString, v)
		if err != nil || len(kind.String()) < 9 {
			return "an object"
		}
		s := kind.String()
		return "an object of kind " + s[8:len(s)-1]
	}
	return "a " + v.Type().String()
}
