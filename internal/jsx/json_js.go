package jsx

import (
	"errors"
	"math"
	"syscall/js"
)

var (
	jsonParse      = global.Get("JSON").Get("parse")
	jsonStringify  = global.Get("JSON").Get("stringify")
	objectClass    = global.Get("Object")
	arrayClass     = global.Get("Array")
	defineProperty = objectClass.Get("defineProperty")
)

// maxDepth is how deep arrays and objects may be nested in each other.
const maxDepth = 200

var errDepth = errors.New("JSON is nested too deeply")

// ParseJSON reads a JSON text as map[string]any, []any, float64, string, bool or nil.
func ParseJSON(text []byte) (any, error) { return parse(js.ValueOf(string(text))) }

func parse(text js.Value) (any, error) {
	v, err := Invoke(jsonParse, text)
	if err != nil {
		return nil, err
	}
	return toGo(v, 0)
}

// StringifyJSON writes a value of the kinds that ParseJSON gives, or an int, as JSON.
// The order of keys is stable.
func StringifyJSON(value any) ([]byte, error) {
	v, err := toJS(value, 0)
	if err != nil {
		return nil, err
	}
	text, err := Invoke(jsonStringify, v)
	if err != nil {
		return nil, err
	}
	return []byte(text.String()), nil
}

// toGo reads a value made by JSON.parse: it has no getters and no proxies.
func toGo(v js.Value, depth int) (any, error) {
	switch v.Type() {
	case js.TypeNull:
		return nil, nil
	case js.TypeBoolean:
		return v.Bool(), nil
	case js.TypeNumber:
		return v.Float(), nil
	case js.TypeString:
		return v.String(), nil
	}
	if depth == maxDepth {
		return nil, errDepth
	}
	if arrayClass.Call("isArray", v).Bool() {
		return arrayToGo(v, depth)
	}
	keys := objectClass.Call("keys", v)
	object := make(map[string]any, keys.Length())
	for i := range keys.Length() {
		key := keys.Index(i)
		// reflectGet with the key as it is: a lone surrogate in it survives.
		element, err := toGo(reflectGet.Invoke(v, key), depth+1)
		if err != nil {
			return nil, err
		}
		object[key.String()] = element
	}
	return object, nil
}

func arrayToGo(v js.Value, depth int) (any, error) {
	array := make([]any, v.Length())
	for i := range array {
		element, err := toGo(v.Index(i), depth+1)
		if err != nil {
			return nil, err
		}
		array[i] = element
	}
	return array, nil
}

func toJS(value any, depth int) (js.Value, error) {
	if depth > maxDepth {
		return js.Undefined(), errDepth
	}
	switch x := value.(type) {
	case nil, bool, string, int:
		return js.ValueOf(x), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return js.Undefined(), errors.New("JSON has no infinity and no NaN")
		}
		return js.ValueOf(x), nil
	case []any:
		array := arrayClass.New(len(x))
		for i, element := range x {
			v, err := toJS(element, depth+1)
			if err != nil {
				return js.Undefined(), err
			}
			array.SetIndex(i, v)
		}
		return array, nil
	case map[string]any:
		return objectToJS(x, depth)
	}
	return js.Undefined(), errors.New("a value of this type cannot be written as JSON")
}

// sortStrings sorts the few keys of an object by insertion: package slices would add
// 6 KB to the module.
func sortStrings(s []string) {
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

// objectToJS defines its properties instead of setting them, so that a key named
// __proto__ is a key.
func objectToJS(x map[string]any, depth int) (js.Value, error) {
	object := objectClass.New()
	keys := make([]string, 0, len(x))
	for key := range x {
		keys = append(keys, key)
	}
	sortStrings(keys)
	for _, key := range keys {
		v, err := toJS(x[key], depth+1)
		if err != nil {
			return js.Undefined(), err
		}
		if key != "__proto__" {
			object.Set(key, v)
			continue
		}
		descriptor := map[string]any{"value": v, "enumerable": true}
		defineProperty.Invoke(object, key, descriptor)
	}
	return object, nil
}
