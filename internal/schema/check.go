package schema

import (
	"encoding/json"

	library "github.com/go-json-experiment/json"

	"groove/internal/groove"
)

// Check reads a payload strictly by its type and returns a pointer to its groove
// struct: *groove.Hello, *groove.Goodbye, *groove.Heartbeat, *groove.Card for
// agent.status, *groove.Message, *groove.JobUpdate, *groove.RegistrySync, *groove.Receipts,
// *groove.KeyRotate, *groove.WireError. For coordinate and sync.projectmap, whose
// payloads are not set yet, it is a json.RawMessage that holds an object. It
// fails with KindInvalid and the JSON path; an unknown type with KindMalformed.
func Check(t groove.Type, payload json.RawMessage) (any, error) {
	switch t {
	case groove.TypeHello:
		return result(Hello(payload))
	case groove.TypeGoodbye:
		return result(Goodbye(payload))
	case groove.TypeHeartbeat:
		return result(Heartbeat(payload))
	case groove.TypeStatus:
		return result(Card(payload))
	case groove.TypeMessage:
		return result(Message(payload))
	case groove.TypeJobUpdate:
		return result(JobUpdate(payload))
	case groove.TypeRegistry:
		return result(Registry(payload))
	case groove.TypeReceipt:
		return result(Receipts(payload))
	case groove.TypeKeyRotate:
		return result(KeyRotate(payload))
	case groove.TypeError:
		return result(WireError(payload))
	case groove.TypeCoordinate, groove.TypeProjectMap:
		if err := (&shape{form: formAny}).check(payload); err != nil {
			return nil, err
		}
		return payload, nil
	}
	return nil, groove.Errorf("check payload", groove.KindMalformed, "the type is unknown")
}

// result keeps a nil pointer from becoming a value that is not nil.
func result[T any](v *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Hello reads the payload of a hello, its contract included: Contract holds the
// exact bytes, which are checked and match contractHash.
func Hello(raw json.RawMessage) (*groove.Hello, error) { return read(raw, helloShape, checkHello) }

// Contract reads a contract as the opener wrote it.
func Contract(raw json.RawMessage) (*groove.Contract, error) {
	return read(raw, contractShape, checkContract)
}

// Goodbye reads the payload of a goodbye.
func Goodbye(raw json.RawMessage) (*groove.Goodbye, error) {
	return read(raw, goodbyeShape, checkGoodbye)
}

// Heartbeat reads the payload of a heartbeat.
func Heartbeat(raw json.RawMessage) (*groove.Heartbeat, error) {
	return read(raw, heartbeatShape, checkHeartbeat)
}

// Card reads the payload of an agent.status.
func Card(raw json.RawMessage) (*groove.Card, error) { return read(raw, cardShape, checkCard) }

// JobUpdate reads the payload of a job.update.
func JobUpdate(raw json.RawMessage) (*groove.JobUpdate, error) {
	return read(raw, jobUpdateShape, checkJobUpdate)
}

// Registry reads the payload of a sync.registry, at most 384 KiB.
func Registry(raw json.RawMessage) (*groove.RegistrySync, error) {
	if len(raw) > maxPageBytes {
		return nil, invalid("", "a page of %d bytes, the limit is %d", len(raw), maxPageBytes)
	}
	return read(raw, registryShape, checkRegistry)
}

// Receipts reads the payload of a receipt.
func Receipts(raw json.RawMessage) (*groove.Receipts, error) {
	return read(raw, receiptsShape, checkReceipts)
}

// KeyRotate reads the payload of a key.rotate. Its signatures are not verified here.
func KeyRotate(raw json.RawMessage) (*groove.KeyRotate, error) {
	return read(raw, keyRotateShape, checkKeyRotate)
}

// WireError reads the payload of an error.
func WireError(raw json.RawMessage) (*groove.WireError, error) {
	return read(raw, errorShape, checkError)
}

// Message reads the payload of a message.
func Message(raw json.RawMessage) (*groove.Message, error) {
	if text, ok := plainMessage(raw); ok {
		m := &groove.Message{Text: text}
		if err := verdict(m, checkMessage); err != nil {
			return nil, err
		}
		return m, nil
	}
	return read(raw, messageShape, checkMessage)
}

var (
	helloShape     = shapeOf[groove.Hello]()
	contractShape  = shapeOf[groove.Contract]()
	goodbyeShape   = shapeOf[groove.Goodbye]()
	heartbeatShape = shapeOf[groove.Heartbeat]()
	cardShape      = shapeOf[groove.Card]()
	messageShape   = shapeOf[groove.Message]()
	jobUpdateShape = shapeOf[groove.JobUpdate]()
	registryShape  = shapeOf[groove.RegistrySync]()
	receiptsShape  = shapeOf[groove.Receipts]()
	keyRotateShape = shapeOf[groove.KeyRotate]()
	errorShape     = shapeOf[groove.WireError]()
)

// read is the general path: the shape, the struct, the value rules.
func read[T any](raw json.RawMessage, s *shape, rules func(*checker, *T)) (*T, error) {
	if err := s.check(raw); err != nil {
		return nil, err
	}
	v, err := decode[T](raw)
	if err != nil {
		return nil, err
	}
	if err := verdict(v, rules); err != nil {
		return nil, err
	}
	return v, nil
}

// verdict applies the value rules.
func verdict[T any](v *T, rules func(*checker, *T)) error {
	var c checker
	rules(&c, v)
	return c.err
}

// decode fills the struct. The shape was checked, so that it fails for none of it.
func decode[T any](raw []byte) (*T, error) {
	v := new(T)
	if err := library.Unmarshal(raw, v, library.RejectUnknownMembers(true)); err != nil {
		return nil, invalid("", "does not decode")
	}
	return v, nil
}
