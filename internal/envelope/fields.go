package envelope

import (
	"time"

	"groove/internal/groove"
)

// maxNumber is the largest number on the wire: every JSON reader keeps it exact.
const maxNumber = 1<<53 - 1

// text reads a string member; nil after a fault.
func (s *scanner) text(what string) (text []byte, ok bool) {
	if s.peek() != '"' {
		s.fault("%s is not a string", what)
		return nil, s.value(2)
	}
	return s.meaning()
}

// uint reads a number of the form 0 or [1-9][0-9]*.
func (s *scanner) uint(what string) (n uint64, ok bool) {
	s.peek()
	start := s.i
	if !s.value(2) {
		return 0, false
	}
	token := s.b[start:s.i]
	for _, c := range token {
		if c < '0' || c > '9' || n > maxNumber {
			s.fault("%s is not a whole number", what)
			return 0, true
		}
		n = n*10 + uint64(c-'0')
	}
	if n > maxNumber {
		s.fault("%s is over 2^53-1", what)
	}
	return n, true
}

// hash reads 32 bytes of base64url.
func (s *scanner) hash(what string) (h [HashSize]byte, ok bool) {
	text, ok := s.text(what)
	if !ok || text == nil {
		return h, ok
	}
	var raw [HashSize + 1]byte // a longer text must not overflow
	if len(text) != groove.B64.EncodedLen(HashSize) {
		s.fault("%s is not 43 characters of base64url", what)
		return h, true
	}
	// The decoder skips line breaks, so the size of what it gave is checked too.
	if n, err := groove.B64.Decode(raw[:], text); err != nil || n != HashSize {
		s.fault("%s is not 43 characters of base64url", what)
		return h, true
	}
	copy(h[:], raw[:])
	return h, true
}

// uuid reads a UUID of the version.
func (s *scanner) uuid(what string, version byte) (id [16]byte, ok bool) {
	text, ok := s.text(what)
	if !ok || text == nil {
		return id, ok
	}
	id, good := parseUUID(text)
	if !good || !isUUID(id, version) {
		s.fault("%s is not a UUIDv%d in lowercase", what, version)
		return [16]byte{}, true
	}
	return id, true
}

// parseUUID reads the 36-character lowercase form.
func parseUUID(b []byte) (id [16]byte, ok bool) {
	if len(b) != uuidLen || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-' {
		return id, false
	}
	for i := range id {
		at := uuidDigits[i]
		high, ok1 := hexDigit(b[at])
		low, ok2 := hexDigit(b[at+1])
		if !ok1 || !ok2 {
			return [16]byte{}, false
		}
		id[i] = high<<4 | low
	}
	return id, true
}

// uuidDigits is where the two digits of each byte stand.
var uuidDigits = [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// time reads a time of groove.TimeFormat.
func (s *scanner) time(what string) (t time.Time, ok bool) {
	text, ok := s.text(what)
	if !ok || text == nil {
		return t, ok
	}
	t, good := parseTime(text)
	if !good || t.IsZero() {
		s.fault("%s is not a time of the form %s", what, groove.TimeFormat)
	}
	return t, true
}

// parseTime reads groove.TimeFormat digit by digit: it is read for every
// envelope, and time.Parse also takes a comma for the point.
func parseTime(b []byte) (t time.Time, ok bool) {
	if len(b) != timeLen {
		return t, false
	}
	for i, c := range []byte(groove.TimeFormat) {
		digit := c >= '0' && c <= '9'
		if digit && b[i]-'0' > 9 || !digit && b[i] != c {
			return t, false
		}
	}
	year, month, day := number(b[0:4]), number(b[5:7]), number(b[8:10])
	hour, minute, second := number(b[11:13]), number(b[14:16]), number(b[17:19])
	if hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, number(b[20:23])*int(time.Millisecond), time.UTC)
	// Date normalises the 30th of February; what moved was no date.
	return t, t.Day() == day && int(t.Month()) == month
}

func number(digits []byte) (n int) {
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}
