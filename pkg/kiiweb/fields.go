package kiiweb

import (
	"math"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// fields reads a 2xx answer's JSON object. The first field that is missing or of
// the wrong type makes err, and everything after that is zero.
type fields struct {
	action string
	status int
	object map[string]any
	err    *Error
}

// fields decodes the answer; an answer that is no JSON object is an error at once.
func (a *answer) fields() *fields {
	f := &fields{action: a.action, status: a.Status}
	object, err := decodeJSON(a.Body)
	if err != nil {
		f.fail("the server's answer is no JSON object", err)
	}
	f.object = object
	return f
}

// done gives the error as an error, nil when there is none.
func (f *fields) done() error {
	if f.err == nil {
		return nil
	}
	return f.err
}

func (f *fields) fail(what string, cause error) {
	if f.err == nil {
		f.err = fault.Wrap(fault.BadResponse, f.action+" failed: "+what, cause)
		f.err.Status = f.status
	}
}

// text is a string that must be there and not be empty.
func (f *fields) text(name string) string {
	s, ok := f.object[name].(string)
	if !ok || s == "" {
		f.fail("the field "+name+" of the server's answer is "+f.wrong(name, "a non-empty string"), nil)
		return ""
	}
	return s
}

// optional is a string that may be missing, null or empty.
func (f *fields) optional(name string) string {
	if v := f.object[name]; v == nil || v == "" {
		return ""
	}
	return f.text(name)
}

// names is an array of objects, of each of which it gives the text called field.
func (f *fields) names(name, field string) []string {
	array, ok := f.object[name].([]any)
	if !ok {
		f.fail("the field "+name+" of the server's answer is "+f.wrong(name, "an array"), nil)
	}
	names := make([]string, len(array))
	for i, element := range array {
		object, _ := element.(map[string]any)
		if names[i], _ = object[field].(string); names[i] == "" {
			f.fail("an element of the field "+name+" of the server's answer has no "+field, nil)
		}
	}
	return names
}

// port is a port number that must be there; 0 says that there is no such port.
func (f *fields) port(name string) int {
	n, ok := f.object[name].(float64)
	if !ok || n != math.Trunc(n) || n < 0 || n > 65535 {
		f.fail("the field "+name+" of the server's answer is "+f.wrong(name, "a port number"), nil)
		return 0
	}
	return int(n)
}

// seconds is a number of seconds; without one in the body it is fallback, a header's
// text, and without both it is missing. A negative number is wrong.
func (f *fields) seconds(name, fallback string) (d time.Duration, present bool) {
	v, ok := f.object[name]
	if !ok && fallback == "" {
		return 0, false
	}
	n, isNumber := v.(float64)
	if !ok {
		var whole int
		whole, isNumber = parseDigits(fallback, math.MaxInt32)
		n = float64(whole)
	}
	if !isNumber || n < 0 || n != n {
		f.fail("the field "+name+" of the server's answer is not a number of seconds", nil)
		return 0, false
	}
	return secondsToDuration(n), true
}

func (f *fields) wrong(name, want string) string {
	if _, ok := f.object[name]; !ok {
		return "missing"
	}
	return "not " + want
}

// secondsToDuration clamps what a Duration cannot hold (292 years) instead of wrapping.
func secondsToDuration(s float64) time.Duration {
	const most = float64(math.MaxInt64 / int64(time.Second))
	if s >= most {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}
