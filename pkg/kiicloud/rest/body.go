package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// read decodes the request's JSON object into v. The content type is not looked at:
// clients send many. The error says where the text is wrong.
func (c *call) read(v any) error {
	text, err := io.ReadAll(c.r.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	if err != nil {
		return invalidInput("The request body ended early.")
	}
	switch string(bytes.TrimSpace(text)) {
	case "":
		return invalidInput("The request body is empty; a JSON object is expected.")
	case "null": // which encoding/json takes for an object without fields
		return invalidInput("The request body must be a JSON object, not a null.")
	}
	if !utf8.Valid(text) {
		return invalidInput("The request body is not UTF-8.")
	}
	return explainJSON(text, json.Unmarshal(text, v))
}

func explainJSON(text []byte, err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	var f *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return invalidInput("The request body is not JSON: " + syntax.Error() + at(text, syntax.Offset) + ".")
	case errors.As(err, &wrongType):
		what, _, _ := strings.Cut(wrongType.Value, " ") // "number 1e999" quotes the input
		if wrongType.Field == "" {
			return invalidInput("The request body must be a JSON object, not " + article(what) + ".")
		}
		where := at(text, wrongType.Offset) + "."
		if what == "number" && wrongType.Type.Kind() >= reflect.Int && wrongType.Type.Kind() <= reflect.Int64 {
			return invalidInput("The field " + wrongType.Field + " must be a whole number of at most 18 digits, without a fraction or an exponent" + where)
		}
		return invalidInput("The field " + wrongType.Field + " must not be " + article(what) + where)
	case errors.As(err, &f):
		return f
	default:
		return invalidInput("The request body cannot be read as JSON.")
	}
}

// at names the place of the last byte that was read, where it is known.
func at(text []byte, offset int64) string {
	if offset <= 0 {
		return ""
	}
	before := text[:min(offset-1, int64(len(text)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
	return fmt.Sprintf(", line %d, column %d", line, column)
}

func article(what string) string {
	if what == "array" || what == "object" {
		return "an " + what
	}
	return "a " + what
}

func tooLarge() *failure {
	return fail(http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "The request body is larger than "+strconv.Itoa(MaxBody)+" bytes.")
}

// flag is a boolean that some clients send as a string.
type flag bool

// UnmarshalJSON reads true, false, "true" or "false".
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true":
		*f = true
	case "false":
		*f = false
	case "null": // as encoding/json has it: no change
	default:
		return &json.UnmarshalTypeError{Value: jsonKind(b), Type: reflect.TypeFor[bool]()}
	}
	return nil
}

// jsonKind names the kind of a valid JSON value.
func jsonKind(b []byte) string {
	switch b[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// or gives f, or the default where the field is absent.
func (f *flag) or(def bool) bool {
	if f == nil {
		return def
	}
	return bool(*f)
}
