package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// number writes a value with three digits that count, and commas.
func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if a := math.Abs(v); a > 0 && a < 100 {
		digits := max(0, 2-int(math.Floor(math.Log10(a))))
		text := strconv.FormatFloat(v, 'f', min(digits, 3), 64)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return text
	}
	scale := 1.0
	for math.Abs(v)/scale >= 1000 {
		scale *= 10
	}
	return Commas(int(math.Round(v/scale) * scale))
}

// Commas writes a whole number with a comma before every three digits.
func Commas(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// String writes a median with its interval, that smaller.
func (s Spread) String() string {
	if math.IsNaN(s.Median) {
		return "–"
	}
	if s.Low == s.High {
		return number(s.Median)
	}
	return fmt.Sprintf("%s <sub>%s–%s</sub>", number(s.Median), number(s.Low), number(s.High))
}

// times writes how many times better something is, with its interval.
func (s Spread) times() string {
	if math.IsNaN(s.Median) {
		return "not measured"
	}
	text := s.String()
	if i := strings.IndexByte(text, ' '); i >= 0 {
		return text[:i] + "×" + text[i:]
	}
	return text + "×"
}
