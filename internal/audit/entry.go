package audit

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"groove/internal/groove"
)

// appendEntry writes the row's exact bytes: they are what the chain hashes.
func appendEntry(b []byte, n uint64, e *Entry) []byte {
	if cap(b) == 0 {
		b = make([]byte, 0, 288)
	}
	b = append(b, `{"n":`...)
	b = strconv.AppendUint(b, n, 10)
	b = append(b, `,"at":"`...)
	b = e.At.UTC().AppendFormat(b, groove.TimeFormat)
	b = append(b, '"')
	b = member(b, `,"event":`, e.Event)
	b = member(b, `,"peer":`, string(e.Peer))
	b = member(b, `,"job":`, string(e.Job))
	b = member(b, `,"agent":`, string(e.Agent))
	b = member(b, `,"to":`, string(e.To))
	if !e.ID.IsZero() {
		b = append(b, `,"id":"`...)
		b = e.ID.Append(b)
		b = append(b, '"')
	}
	b = member(b, `,"kind":`, string(e.Kind))
	b = member(b, `,"source":`, e.Source)
	b = member(b, `,"detail":`, e.Detail)
	return append(b, '}')
}

func member(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	if plain(value) {
		b = append(b, '"')
		b = append(b, value...)
		return append(b, '"')
	}
	quoted, err := json.Marshal(value)
	if err != nil { // cannot be: a string always marshals
		quoted = []byte(`"?"`)
	}
	return append(b, quoted...)
}

// plain reports whether s is JSON text as it stands.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
