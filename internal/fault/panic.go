package fault

// PanicText says what a recovered value was, without package fmt, which a browser
// would have to load.
func PanicText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	case interface{ String() string }:
		return v.String()
	}
	return "a value that is no text"
}
