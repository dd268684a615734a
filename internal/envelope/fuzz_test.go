package envelope_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"groove/internal/envelope"
	"groove/internal/groove"
)

// seeds are the golden bodies: without them a fuzz run would start from nothing.
func seeds(f *testing.F, add func(body []byte)) {
	var good []goodVector
	var bad []badVector
	for name, into := range map[string]any{"good.json": &good, "refused.json": &bad} {
		b, err := os.ReadFile("testdata/vectors/" + name)
		if err != nil {
			f.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			f.Fatal(err)
		}
	}
	if len(good) == 0 || len(bad) == 0 {
		f.Fatal("no vectors")
	}
	for _, v := range good {
		add([]byte(v.Body))
	}
	for _, v := range bad {
		b, err := b64.DecodeString(v.Body)
		if err != nil {
			f.Fatal(err)
		}
		add(b)
	}
}

// FuzzOpen: a signed body is read if and only if the library finds it to be
// JSON of the right shape, and every envelope that stands is strict JSON that
// encodes to an equal one.
func FuzzOpen(f *testing.F) {
	seeds(f, func(body []byte) { f.Add(body) })
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > groove.MaxFrame-64 || len(body) < 2 {
			t.Skip()
		}
		frame, err := newOpener().Open(signed(body))
		if err != nil {
			if k := groove.KindOf(err); k != groove.KindFrameMalformed && k != groove.KindBadSeq {
				t.Fatalf("kind %q", k)
			}
			return
		}
		loose := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
		if !jsontext.Value(body).IsValid(loose...) {
			t.Fatal("opened, and no JSON")
		}
		for _, it := range frame.Items {
			checkItem(t, &it)
		}
	})
}

// FuzzEnvelope: one envelope between two good ones is refused alone exactly
// where the library finds duplicate names or invalid text, or where a rule of the
// protocol is broken; it never harms its neighbours.
func FuzzEnvelope(f *testing.F) {
	for _, r := range envelopeRows() {
		f.Add([]byte(r.body))
	}
	f.Add([]byte(goodEnvelope(1)))
	first, last := goodEnvelope(2), goodEnvelope(3)
	f.Fuzz(func(t *testing.T, raw []byte) {
		frame, err := newOpener().Open(signed([]byte(bodyOf(first, string(raw), last))))
		value := jsontext.Value(raw)
		isJSON := value.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			if isJSON {
				t.Fatalf("one envelope ended the connection: %v", err)
			}
			return
		}
		if !isJSON {
			// Text such as "{},{}" is two envelopes: no JSON alone, good in a list.
			if !jsontext.Value("["+string(raw)+"]").IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
				t.Fatal("opened, and no JSON")
			}
			return
		}
		if len(frame.Items) != 3 || frame.Items[0].Err != nil || frame.Items[2].Err != nil {
			t.Fatal("the neighbours suffer")
		}
		checkItem(t, &frame.Items[1])
	})
}

func checkItem(t *testing.T, it *envelope.Item) {
	t.Helper()
	if it.HasID == it.ID.IsZero() {
		t.Fatalf("HasID %v with id %v", it.HasID, it.ID)
	}
	if it.Err != nil {
		if it.Env.Payload != nil {
			t.Fatal("a refused envelope keeps its payload")
		}
		return
	}
	if !jsontext.Value(it.Raw).IsValid() {
		t.Fatalf("stands, and is not strict JSON: %q", it.Raw)
	}
	o := outgoingOf(&it.Env)
	if err := envelope.Check(&o); err != nil && groove.KindOf(err) != groove.KindTooLarge {
		t.Fatalf("stands, and could not be sent: %v", err)
	}
	again := envelope.AppendEnvelope(nil, &o, it.Env.Nonce, it.Env.Timestamp)
	if !sameJSON(t, it.Raw, again) {
		t.Fatalf("encodes to another:\n%s\n%s", it.Raw, again)
	}
}

// sameJSON compares in the library's canonical form but for numbers, which it may round.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	form := func(v jsontext.Value) []byte {
		v = v.Clone()
		if err := v.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false)); err != nil {
			t.Fatal(err)
		}
		return v
	}
	return bytes.Equal(form(a), form(b))
}
