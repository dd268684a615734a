package schema

import (
	"encoding/json"

	library "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	legacy "github.com/go-json-experiment/json/v1"

	"groove/internal/groove"
)

// writing leaves out what is zero and marked omitempty, as encoding/json does,
// writes empty lists as [], keeps raw members as they are, and refuses
// text that is not UTF-8.
var writing = library.JoinOptions(
	legacy.OmitEmptyWithLegacySemantics(true),
	jsontext.PreserveRawStrings(true),
	library.Deterministic(true),
)

// Encode writes a payload struct of groove, or a pointer to one, in the same
// bytes each time, after the rules that its receiver applies. *groove.Contract is
// written for hello. It fails with KindInvalid, and with KindInternal for anything
// that is no payload.
func Encode(payload any) (json.RawMessage, error) {
	switch v := payload.(type) {
	case *groove.Message:
		return write(v, checkMessage)
	case *groove.Receipts:
		return write(v, checkReceipts)
	case *groove.Hello:
		return reread(v, Hello)
	case *groove.Contract:
		return reread(v, Contract)
	case *groove.Goodbye:
		return reread(v, Goodbye)
	case *groove.Heartbeat:
		return reread(v, Heartbeat)
	case *groove.Card:
		return reread(v, Card)
	case *groove.JobUpdate:
		return reread(v, JobUpdate)
	case *groove.RegistrySync:
		return encodeRegistry(v)
	case *groove.KeyRotate:
		return reread(v, KeyRotate)
	case *groove.WireError:
		return reread(v, WireError)
	}
	return encodeValue(payload)
}

// encodeValue takes the structs themselves.
func encodeValue(payload any) (json.RawMessage, error) {
	switch v := payload.(type) {
	case groove.Message:
		return Encode(&v)
	case groove.Receipts:
		return Encode(&v)
	case groove.Hello:
		return Encode(&v)
	case groove.Contract:
		return Encode(&v)
	case groove.Goodbye:
		return Encode(&v)
	case groove.Heartbeat:
		return Encode(&v)
	case groove.Card:
		return Encode(&v)
	case groove.JobUpdate:
		return Encode(&v)
	case groove.RegistrySync:
		return Encode(&v)
	case groove.KeyRotate:
		return Encode(&v)
	case groove.WireError:
		return Encode(&v)
	}
	return nil, groove.Errorf("encode payload", groove.KindInternal, "%T is no payload", payload)
}

// write is for structs whose every Go value has the right shape.
func write[T any](v *T, rules func(*checker, *T)) (json.RawMessage, error) {
	if err := verdict(v, rules); err != nil {
		return nil, err
	}
	return marshal(v)
}

// reread writes and reads what was written.
func reread[T any](v *T, read func(json.RawMessage) (*T, error)) (json.RawMessage, error) {
	raw, err := marshal(v)
	if err != nil {
		return nil, err
	}
	if _, err := read(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

func marshal(v any) (json.RawMessage, error) {
	raw, err := library.Marshal(v, writing)
	if err != nil {
		return nil, groove.Errorf("encode payload", groove.KindInvalid, "%w", err)
	}
	return raw, nil
}

// registryPage is a page, whose list is there even if it is empty.
type registryPage struct {
	Op     string           `json:"op"`
	Digest string           `json:"digest"`
	Agents []groove.Card    `json:"agents"`
	Next   groove.AgentName `json:"next,omitempty"`
}

func encodeRegistry(r *groove.RegistrySync) (json.RawMessage, error) {
	if r.Op != "page" || r.Have != "" || r.After != "" {
		return reread(r, Registry)
	}
	page := &registryPage{Op: r.Op, Digest: r.Digest, Agents: r.Agents, Next: r.Next}
	return reread(page, func(raw json.RawMessage) (*registryPage, error) {
		_, err := Registry(raw)
		return nil, err
	})
}
