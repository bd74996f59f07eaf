package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// maxFields is how many bytes of JSON are kept of a user or thing beside its names: what
// Kii allows a thing.
const maxFields = 63 << 10

// fields is a JSON object whose values are kept as they came.
type fields map[string]json.RawMessage

// decodeFields reads what encode wrote.
func decodeFields(text []byte) (fields, error) {
	f := fields{}
	if len(text) == 0 {
		return f, nil
	}
	err := json.Unmarshal(text, &f)
	return f, err
}

// encode gives what is stored. The error is a failure when it is too much.
func (f fields) encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // '<' is one byte of the limit, not six
	if err := enc.Encode(f); err != nil {
		return nil, err
	}
	text := bytes.TrimRight(buf.Bytes(), "\n")
	if len(text) > maxFields {
		return nil, invalidInput("The fields are " + strconv.Itoa(len(text)) + " bytes of JSON together; at most " + strconv.Itoa(maxFields) + " are kept.")
	}
	return text, nil
}

// custom picks the fields that are the app's own. Names that begin with an underscore are
// Kii's; clients send them back with what they have read, and so they are left out without
// complaint, as are the names in reserved.
func (f fields) custom(reserved map[string]bool) fields {
	own := fields{}
	for name, value := range f {
		if !strings.HasPrefix(name, "_") && !reserved[name] {
			own[name] = value
		}
	}
	return own
}

// text gives the field as a string, and nil where it is absent or null.
func (f fields) text(name string) (*string, error) {
	v, ok := f[name]
	if !ok || jsonKind(v) == "null" {
		return nil, nil
	}
	if kind := jsonKind(v); kind != "string" {
		return nil, invalidInput("The field " + name + " must not be " + article(kind) + ".")
	}
	var s string
	err := json.Unmarshal(v, &s)
	return &s, err
}

// setText sets a field to a string, or removes it where that is empty.
func (f fields) setText(name, value string) {
	if value == "" {
		delete(f, name)
		return
	}
	text, _ := json.Marshal(value) // a string is always JSON
	f[name] = text
}
