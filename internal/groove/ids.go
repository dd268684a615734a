package groove

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// DaemonID names a daemon: 52 characters, lowercase base32 without padding of
// the SHA-256 of its raw Ed25519 public key. It is compared whole and computed
// anew from the key on receipt (docs/protocol.md §1).
type DaemonID string

// JobID names a job: 128 random bits as 26 characters of lowercase base32.
type JobID string

// PeerLegJob is the job of the peer leg, which carries no contract: 128 zero bits.
const PeerLegJob = JobID("aaaaaaaaaaaaaaaaaaaaaaaaaa")

// AgentName names an agent within its daemon: ^[a-z0-9][a-z0-9._-]{0,62}$.
type AgentName string

// User is the reserved agent name of the daemon's user, who may write to agents
// and be answered.
const User = AgentName("user")

// MessageID is a UUIDv7, made once for each message and kept through every
// retransmission. The zero value means "none".
type MessageID [16]byte

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// B64 is base64url without padding, strict about unused bits: every key, hash
// and nonce on the wire is written in it.
var B64 = base64.RawURLEncoding.Strict()

// IDOf returns the daemon ID of a public key.
func IDOf(key ed25519.PublicKey) DaemonID {
	sum := sha256.Sum256(key)
	return DaemonID(base32Lower.EncodeToString(sum[:]))
}

// Valid reports whether the ID has the canonical 52-character form.
func (id DaemonID) Valid() bool { return canonicalBase32(string(id), 32) }

// Short returns the eight characters that people see.
func (id DaemonID) Short() string {
	if len(id) < 8 {
		return string(id)
	}
	return string(id[:8])
}

// NewJobID writes 16 random bytes as a job ID.
func NewJobID(random [16]byte) JobID { return JobID(base32Lower.EncodeToString(random[:])) }

// Valid reports whether the ID has the canonical 26-character form.
func (id JobID) Valid() bool { return canonicalBase32(string(id), 16) }

// Short returns the eight characters that people see.
func (id JobID) Short() string {
	if len(id) < 8 {
		return string(id)
	}
	return string(id[:8])
}

// canonicalBase32 refuses other lengths, letters and non-zero unused bits.
func canonicalBase32(s string, size int) bool {
	if len(s) != base32Lower.EncodedLen(size) {
		return false
	}
	raw, err := base32Lower.DecodeString(s)
	return err == nil && len(raw) == size && base32Lower.EncodeToString(raw) == s
}

// Valid reports whether the name has the form of an agent name.
func (n AgentName) Valid() bool {
	if len(n) == 0 || len(n) > 63 {
		return false
	}
	for i := 0; i < len(n); i++ {
		c := n[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// ParseMessageID reads the 36-character lowercase text form of a UUID.
// It fails with KindMalformed.
func ParseMessageID(s string) (MessageID, error) {
	var id MessageID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, Errorf("parse id", KindMalformed, "not a UUID: %d characters", len(s))
	}
	at := 0
	for _, part := range [...][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}} {
		piece := s[part[0]:part[1]]
		for i := range len(piece) {
			if c := piece[i]; c >= 'A' && c <= 'F' {
				return MessageID{}, Errorf("parse id", KindMalformed, "not a UUID in lowercase")
			}
		}
		n, err := hex.Decode(id[at:], []byte(piece))
		if err != nil {
			return MessageID{}, Errorf("parse id", KindMalformed, "not a UUID")
		}
		at += n
	}
	return id, nil
}

// Append writes the 36-character text form to b.
func (id MessageID) Append(b []byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:])
}

// String returns the 36-character text form, or "" for the zero value.
func (id MessageID) String() string {
	if id.IsZero() {
		return ""
	}
	return string(id.Append(make([]byte, 0, 36)))
}

// Time is when the ID was made, to the millisecond: it is a UUID of version 7.
func (id MessageID) Time() time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms)
}

// IsZero reports whether the ID names no message.
func (id MessageID) IsZero() bool { return id == MessageID{} }

// MarshalText writes the text form.
func (id MessageID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text form; empty text is the zero value.
func (id *MessageID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = MessageID{}
		return nil
	}
	parsed, err := ParseMessageID(string(b))
	if err == nil {
		*id = parsed
	}
	return err
}

// CheckLabel refuses a name or title that is empty, over max bytes, not UTF-8,
// or that holds control or bidirectional characters. It fails with KindInvalid.
// Normalisation (NFC) is the schema room's.
func CheckLabel(what, s string, max int) error {
	switch {
	case s == "":
		return Errorf("check label", KindInvalid, "%s is empty", what)
	case len(s) > max:
		return Errorf("check label", KindInvalid, "%s is %d bytes, the limit is %d", what, len(s), max)
	case !utf8.ValidString(s):
		return Errorf("check label", KindInvalid, "%s is not UTF-8", what)
	}
	for _, r := range s {
		if unicode.IsControl(r) || isBidi(r) {
			return Errorf("check label", KindInvalid, "%s holds the control character %U", what, r)
		}
	}
	return nil
}

func isBidi(r rune) bool {
	return r == 0x061C || r >= 0x200E && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// CleanLabel makes s fit a label, for names taken from the machine: what a
// label may not hold is dropped, the rest cut at max bytes.
func CleanLabel(s string, max int) string {
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) || isBidi(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > max {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
