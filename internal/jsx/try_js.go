package jsx

import (
	"errors"
	"syscall/js"
)

// Functions of JavaScript, taken once: what a page replaces later does not matter.
var (
	global     = js.Global()
	reflectGet = global.Get("Reflect").Get("get")
	reflectSet = global.Get("Reflect").Get("set")
	// uncurriedCall(f, this, ...args) calls f with this and args.
	uncurriedCall = bindCall()
	// instanceTest(class, v) is v instanceof class.
	instanceTest = bindInstanceTest()
)

func bindCall() js.Value {
	call := global.Get("Function").Get("prototype").Get("call")
	return call.Call("bind", call)
}

func bindInstanceTest() js.Value {
	function := global.Get("Function").Get("prototype")
	test := global.Get("Reflect").Call("get", function, global.Get("Symbol").Get("hasInstance"))
	return function.Get("call").Call("bind", test)
}

// Get reads a property. A getter that throws, or a value that is no object, is an error.
func Get(v js.Value, name string) (js.Value, error) {
	return Invoke(reflectGet, v, name)
}

// Set writes a property. A setter that throws, or a property that is read-only, is an error.
func Set(v js.Value, name string, value any) error {
	done, err := Invoke(reflectSet, v, name, value)
	if err != nil {
		return err
	}
	if !done.Bool() {
		return errors.New("property " + name + " cannot be set")
	}
	return nil
}

// Call calls a method of v.
func Call(v js.Value, name string, args ...any) (js.Value, error) {
	method, err := Get(v, name)
	if err != nil {
		return js.Undefined(), err
	}
	if TypeOf(method) != js.TypeFunction {
		return js.Undefined(), errors.New(name + " is not a function")
	}
	return Invoke(uncurriedCall, append([]any{method, v}, args...)...)
}

// Invoke calls the function f.
func Invoke(f js.Value, args ...any) (result js.Value, err error) {
	defer catch(&err)
	return f.Invoke(args...), nil
}

// New makes an object with the constructor class.
func New(class js.Value, args ...any) (result js.Value, err error) {
	defer catch(&err)
	return class.New(args...), nil
}

// ValueOf is js.ValueOf with an error for what JavaScript cannot hold.
func ValueOf(x any) (result js.Value, err error) {
	defer catch(&err)
	return js.ValueOf(x), nil
}

// typeBigInt is what TypeOf gives for a BigInt, for which syscall/js has no name.
const typeBigInt js.Type = -1

// TypeOf is v.Type(), which panics on a BigInt; TypeOf gives a type equal to none of
// syscall/js for it.
func TypeOf(v js.Value) (t js.Type) {
	defer func() {
		if recover() != nil {
			t = typeBigInt
		}
	}()
	return v.Type()
}

// InstanceOf tells whether v is an instance of class; a proxy that throws is not.
func InstanceOf(v, class js.Value) bool {
	is, err := Invoke(instanceTest, class, v)
	return err == nil && is.Bool()
}

// catch turns what syscall/js panics with into an error.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case js.Error:
		*err = FromJS(r.Value)
	case error:
		*err = r
	case string:
		*err = errors.New(r)
	default:
		panic(r)
	}
}
