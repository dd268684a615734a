package groove

import (
	"encoding/json"
	"time"
)

// Type is an envelope's type (docs/protocol.md §6).
type Type string

// The types of protocol version 1. Any other is refused.
const (
	TypeHello      Type = "hello"
	TypeGoodbye    Type = "goodbye"
	TypeHeartbeat  Type = "heartbeat"
	TypeStatus     Type = "agent.status"
	TypeMessage    Type = "message"
	TypeCoordinate Type = "coordinate"
	TypeRegistry   Type = "sync.registry"
	TypeProjectMap Type = "sync.projectmap"
	TypeJobUpdate  Type = "job.update"
	TypeReceipt    Type = "receipt"
	TypeKeyRotate  Type = "key.rotate"
	TypeError      Type = "error"
)

// TypeClass says how an envelope is kept and how a refusal of it is told.
type TypeClass int

// The classes of a type.
const (
	Unknown TypeClass = iota // refused by receipt
	Stored                   // committed, receipted, sent again until receipted
	Request                  // refused by receipt, not stored
	State                    // refusal audited, dropped
	Control                  // refusal ends the connection
)

// Class returns the class of the type.
func (t Type) Class() TypeClass {
	switch t {
	case TypeMessage, TypeCoordinate, TypeJobUpdate, TypeKeyRotate:
		return Stored
	case TypeRegistry, TypeProjectMap:
		return Request
	case TypeStatus:
		return State
	case TypeHello, TypeGoodbye, TypeHeartbeat, TypeReceipt, TypeError:
		return Control
	}
	return Unknown
}

// HasAgents reports whether an envelope of the type names both agents.
func (t Type) HasAgents() bool { return t == TypeMessage || t == TypeCoordinate }

// Address is one end of an envelope. Agent is empty for daemon-to-daemon types.
type Address struct {
	Daemon DaemonID  `json:"daemon"`
	Agent  AgentName `json:"agent,omitempty"`
}

// Envelope is one message on the wire (docs/protocol.md §5). Payload is the raw
// JSON object, not yet checked by the schema room unless its holder says so.
type Envelope struct {
	ID        MessageID
	Type      Type
	Nonce     [16]byte // UUIDv4, new for each transmission
	Timestamp time.Time
	Job       JobID
	From, To  Address
	ReplyTo   MessageID // zero: none
	Expires   time.Time // zero: none
	Payload   json.RawMessage
}

// TimeFormat is how times are written on the wire: RFC 3339, UTC, milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time is a time.Time that is written on the wire as TimeFormat and read in no
// other form. The zero value is left out by omitzero.
type Time struct{ time.Time }

// At returns t cut to the milliseconds that the wire keeps.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// ParseTime reads TimeFormat and nothing else. It fails with KindInvalid.
func ParseTime(s string) (time.Time, error) {
	if len(s) != len(TimeFormat) {
		return time.Time{}, Errorf("parse time", KindInvalid, "not a time of the form %s", TimeFormat)
	}
	t, err := time.Parse(TimeFormat, s)
	if err != nil {
		return time.Time{}, Errorf("parse time", KindInvalid, "not a time of the form %s", TimeFormat)
	}
	return t, nil
}

// MarshalText writes TimeFormat.
func (t Time) MarshalText() ([]byte, error) {
	return t.UTC().AppendFormat(make([]byte, 0, len(TimeFormat)), TimeFormat), nil
}

// MarshalJSON writes TimeFormat in quotes.
func (t Time) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, len(TimeFormat)+2), '"')
	b = t.UTC().AppendFormat(b, TimeFormat)
	return append(b, '"'), nil
}

// UnmarshalText reads TimeFormat.
func (t *Time) UnmarshalText(b []byte) error {
	parsed, err := ParseTime(string(b))
	t.Time = parsed
	return err
}

// UnmarshalJSON reads TimeFormat in quotes.
func (t *Time) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return Errorf("parse time", KindInvalid, "a time is a string")
	}
	return t.UnmarshalText(b[1 : len(b)-1])
}

// Sizes of the wire (docs/protocol.md §3, §4, §5).
const (
	MaxFrame     = 1 << 20   // signature and body
	MaxEnvelopes = 64        // in one frame
	MaxEnvelope  = 512 << 10 // one encoded envelope
	MaxDepth     = 10        // counted from the envelope, which is depth 1
	MaxText      = 262144    // of a message
	MaxSkew      = 5 * time.Minute
	// ProtocolVersion is what this build speaks.
	ProtocolVersion = "1.0"
)
