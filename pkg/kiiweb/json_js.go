package kiiweb

import "github.com/kiiweb/kiiweb/internal/jsx"

// encodeJSON writes object without spaces, by the browser's JSON.
func encodeJSON(object map[string]any) ([]byte, error) { return jsx.StringifyJSON(plain(object)) }

// decodeJSON reads one JSON object; numbers are float64.
func decodeJSON(b []byte) (map[string]any, error) {
	v, err := jsx.ParseJSON(b)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errNotObject
	}
	return object, nil
}

// plain gives v with Go's kinds of number as the one that JavaScript has.
func plain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(x))
		for key, element := range x {
			object[key] = plain(element)
		}
		return object
	case int:
		return float64(x)
	case int8:
		return float64(x)
	case int16:
		return float64(x)
	case int32:
		return float64(x)
	case int64:
		return float64(x)
	case uint:
		return float64(x)
	case uint8:
		return float64(x)
	case uint16:
		return float64(x)
	case uint32:
		return float64(x)
	case uint64:
		return float64(x)
	case float32:
		return float64(x)
	}
	return v
}
