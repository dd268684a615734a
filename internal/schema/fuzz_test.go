package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"groove/internal/groove"
	"groove/internal/schema"
)

// absentOrEmpty: an optional list that is empty is left out when it is sent.
var absentOrEmpty = cmpopts.EquateEmpty()

// property: what is read is strict JSON that can be sent again and then reads
// equal; all else is refused as payload.invalid.
func property(t *testing.T, typ groove.Type, raw []byte) {
	t.Helper()
	v, err := schema.Check(typ, raw)
	if err != nil {
		if k := groove.KindOf(err); k != groove.KindInvalid {
			t.Fatalf("kind %q: %v", k, err)
		}
		return
	}
	if !jsontext.Value(raw).IsValid() {
		t.Fatalf("read, and is not strict JSON: %q", raw)
	}
	if _, isRaw := v.(json.RawMessage); isRaw {
		return
	}
	again, err := schema.Encode(v)
	if err != nil {
		// The one thing that sending changes is the spaces of a raw member, and a contract's hash is over them.
		if h, ok := v.(*groove.Hello); ok && spaced(h.Contract) {
			return
		}
		t.Fatalf("read, and cannot be sent: %v\n%s", err, raw)
	}
	w, err := schema.Check(typ, again)
	if h, ok := v.(*groove.Hello); ok && spaced(h.Ext) {
		return
	}
	if diff := cmp.Diff(v, w, absentOrEmpty); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
}

// spaced reports whether raw holds spaces between its tokens.
func spaced(raw []byte) bool {
	v := jsontext.Value(raw).Clone()
	return len(raw) > 0 && (v.Compact() != nil || len(v) != len(raw))
}

func fuzz(f *testing.F, types ...groove.Type) {
	seeds(f, types...)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > groove.MaxEnvelope {
			t.Skip()
		}
		for _, typ := range types {
			property(t, typ, raw)
		}
	})
}

func FuzzHello(f *testing.F) { fuzz(f, groove.TypeHello) }
func FuzzCards(f *testing.F) { fuzz(f, groove.TypeStatus, groove.TypeRegistry) }
func FuzzReceipts(f *testing.F) {
	fuzz(f, groove.TypeReceipt)
}

// FuzzControl covers the small payloads and those that are not set yet.
func FuzzControl(f *testing.F) {
	fuzz(f, groove.TypeGoodbye, groove.TypeHeartbeat, groove.TypeJobUpdate, groove.TypeKeyRotate, groove.TypeError,
		groove.TypeCoordinate, groove.TypeProjectMap)
}

// FuzzContract reads contracts as they stand, without the hash that hides them from a fuzzer in a hello.
func FuzzContract(f *testing.F) {
	f.Add([]byte(contract))
	f.Fuzz(func(t *testing.T, raw []byte) {
		k, err := schema.Contract(raw)
		if err != nil {
			return
		}
		again, err := schema.Encode(k)
		if err != nil {
			t.Fatal(err)
		}
		l, err := schema.Contract(again)
		if diff := cmp.Diff(k, l, absentOrEmpty); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

// FuzzMessage holds besides that the quick reading and the general one, to
// which a space leads, agree.
func FuzzMessage(f *testing.F) {
	seeds(f, groove.TypeMessage)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > groove.MaxEnvelope {
			t.Skip()
		}
		property(t, groove.TypeMessage, raw)
		quick, err1 := schema.Message(raw)
		general, err2 := schema.Message(append([]byte(" "), raw...))
		if diff := cmp.Diff(quick, general); (err1 == nil) != (err2 == nil) || diff != "" {
			t.Fatalf("%v, %v\n%s", err1, err2, diff)
		}
	})
}
