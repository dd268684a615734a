package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"groove/internal/groove"
	"groove/internal/schema"
)

func TestValid(t *testing.T) {
	for typ, payloads := range valid() {
		for _, p := range payloads {
			v, err := schema.Check(typ, json.RawMessage(p))
			if err != nil {
				t.Errorf("%s: %v\n%s", typ, err, p)
				continue
			}
			if raw, ok := v.(json.RawMessage); ok {
				if string(raw) != p {
					t.Errorf("%s: %s", typ, raw)
				}
				continue
			}
			again, err := schema.Encode(v)
			if err != nil {
				t.Errorf("%s: cannot be sent: %v\n%s", typ, err, p)
				continue
			}
			w, err := schema.Check(typ, again)
			if diff := cmp.Diff(v, w); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", typ, err, diff)
			}
		}
	}
}

type badRow struct {
	t       groove.Type
	why     string
	payload string
	path    string // which the refusal names
}

func TestInvalid(t *testing.T) {
	rows := badRows()
	if len(rows) == 0 {
		t.Fatal("no rows")
	}
	for _, r := range rows {
		v, err := schema.Check(r.t, json.RawMessage(r.payload))
		wantKind(t, string(r.t)+": "+r.why, err, groove.KindInvalid)
		if err != nil && !strings.Contains(err.Error(), `"`+r.path+`": `) {
			t.Errorf("%s: %s: %v, want the path %s", r.t, r.why, err, r.path)
		}
		if err != nil && v != nil {
			t.Errorf("%s: %s: a refused payload was returned", r.t, r.why)
		}
	}
}

func TestUnknownType(t *testing.T) {
	_, err := schema.Check("gossip", json.RawMessage(`{}`))
	wantKind(t, "gossip", err, groove.KindMalformed)
}

// TestContractBytes: the hash is over the bytes as sent, spaces and all, and they come through untouched.
func TestContractBytes(t *testing.T) {
	spaced := strings.ReplaceAll(contract, `,"`, " ,\n \"")
	h := schema.ContractHash(json.RawMessage(spaced))
	raw := strings.Replace(hello(), contract, spaced, 1)
	_, err := schema.Hello(json.RawMessage(raw))
	wantKind(t, "hash of other bytes", err, groove.KindInvalid)
	old := schema.ContractHash(json.RawMessage(contract))
	raw = strings.Replace(raw, groove.B64.EncodeToString(old[:]), groove.B64.EncodeToString(h[:]), 1)
	got, err := schema.Hello(json.RawMessage(raw))
	if err != nil || string(got.Contract) != spaced {
		t.Fatalf("%v\n%s", err, got.Contract)
	}
}

func TestMessageLimits(t *testing.T) {
	for _, r := range []struct {
		why  string
		text string
		kind groove.Kind
	}{
		{"1 byte", "x", ""},
		{"262,144 bytes", strings.Repeat("x", 262144), ""},
		{"262,145 bytes", strings.Repeat("x", 262145), groove.KindInvalid},
		{"bytes are counted, not letters", strings.Repeat("é", 131073), groove.KindInvalid},
		{"empty", "", groove.KindInvalid},
	} {
		m := &groove.Message{Text: r.text}
		_, err := schema.Encode(m)
		wantKind(t, "encode "+r.why, err, r.kind)
		for _, form := range []string{`{"text":%}`, `{ "text":%}`} { // the fast path and the general one
			quoted, err := json.Marshal(r.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := schema.Message(json.RawMessage(strings.Replace(form, "%", string(quoted), 1)))
			wantKind(t, "read "+r.why, err, r.kind)
			if err == nil && got.Text != r.text {
				t.Errorf("%s: changed", r.why)
			}
			if err != nil && got != nil {
				t.Errorf("%s: a refused message was returned", r.why)
			}
		}
	}
}

// TestEncodeRefuses: nothing is sent that would be refused.
func TestEncodeRefuses(t *testing.T) {
	for _, r := range []struct {
		why  string
		v    any
		kind groove.Kind
	}{
		{"no text", groove.Message{}, groove.KindInvalid},
		{"text that is not UTF-8", &groove.Message{Text: "\xff"}, groove.KindInvalid},
		{"no receipts", groove.Receipts{}, groove.KindInvalid},
		{"a receipt of no state", groove.Receipts{Receipts: []groove.Receipt{{ID: id1, N: 1}}}, groove.KindInvalid},
		{"a place below 0", groove.Receipts{Receipts: []groove.Receipt{{At: &groove.FrameAt{Seq: 1, Index: -1}, State: "refused", Kind: "expired"}}}, groove.KindInvalid},
		{"a contract of zeros", groove.Contract{}, groove.KindInvalid},
		{"a hello of zeros", &groove.Hello{}, groove.KindInvalid},
		{"a goodbye of no reason", groove.Goodbye{}, groove.KindInvalid},
		{"a card of no agent", groove.Card{}, groove.KindInvalid},
		{"an update of no action", groove.JobUpdate{}, groove.KindInvalid},
		{"a registry of no op", groove.RegistrySync{}, groove.KindInvalid},
		{"a page that asks", groove.RegistrySync{Op: "page", Digest: hash43, Have: hash43}, groove.KindInvalid},
		{"a rotation of zeros", groove.KeyRotate{}, groove.KindInvalid},
		{"an error of no kind", groove.WireError{}, groove.KindInvalid},
		{"an error of a local kind", groove.WireError{Kind: groove.KindPortTaken}, groove.KindInvalid},
		{"no payload at all", nil, groove.KindInternal},
		{"another type", 5, groove.KindInternal},
	} {
		_, err := schema.Encode(r.v)
		wantKind(t, r.why, err, r.kind)
	}
}

// TestEncodeBytes holds the bytes that are signed and hashed.
func TestEncodeBytes(t *testing.T) {
	for _, r := range []struct {
		why  string
		v    any
		want string
	}{
		{"no HTML escapes", groove.Message{Text: "<b>&\u2028é\n"}, "{\"text\":\"<b>&\u2028é\\n\"}"},
		{"zero members are absent", groove.Receipts{Receipts: []groove.Receipt{{N: 1, ID: id1, State: groove.ReceiptStored}}}, `{"receipts":[{"n":1,"id":"` + id1 + `","state":"stored"}]}`},
		{"an empty page keeps its list", groove.RegistrySync{Op: "page", Digest: hash43}, `{"op":"page","digest":"` + hash43 + `","agents":[]}`},
	} {
		got, err := schema.Encode(r.v)
		if err != nil || string(got) != r.want {
			t.Errorf("%s: %s %v", r.why, got, err)
		}
	}
	k, err := schema.Contract(json.RawMessage(contract))
	if err != nil {
		t.Fatal(err)
	}
	k.Coordinate = nil // an absent list is written out as the default it is
	if got, err := schema.Encode(k); err != nil || string(got) != contract {
		t.Errorf("%v\n%s\n%s", err, got, contract)
	}
}
