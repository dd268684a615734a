package envelope_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groove/internal/envelope"
	"groove/internal/groove"
)

var update = flag.Bool("update", false, "rewrite the golden vectors")

// goodVector is one connection's frame, byte by byte.
type goodVector struct {
	Name      string   `json:"name"`
	Seed      string   `json:"seed"` // of the Ed25519 key, base64url
	CB        string   `json:"cb"`
	Prev      string   `json:"prev"`
	Now       string   `json:"now"`
	Nonces    []string `json:"nonces"`
	Body      string   `json:"body"`
	Digest    string   `json:"digest"`
	Signature string   `json:"signature"`
	Hash      string   `json:"hash"`
}

// badVector is a signed body and how it is refused.
type badVector struct {
	Name  string    `json:"name"`
	Why   string    `json:"why"`
	Body  string    `json:"body"` // base64url: some are no text
	Kind  string    `json:"kind,omitempty"`
	Items []badItem `json:"items,omitempty"`
}

type badItem struct {
	Kind string `json:"kind,omitempty"` // absent: the envelope stands
	ID   string `json:"id,omitempty"`   // absent: it could not be read
}

var b64 = base64.RawURLEncoding.Strict()

// golden compares got with the file, or writes it.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "vectors", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file (run with -update): %v", err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestGoodVectors holds the wire: any change of these bytes is another protocol.
func TestGoodVectors(t *testing.T) {
	var got []goodVector
	for _, c := range goodFrames() {
		prev := [32]byte{}
		if c.prev {
			prev[0] = 9
		}
		random := &counter{}
		s := envelope.NewSealer(keyOf(1), binding, prev, clock, random)
		frame, rec := seal(t, s, c.ack, c.env...)
		digest := envelope.Digest(binding, frame[64:])
		v := goodVector{Name: c.name, Seed: b64.EncodeToString(keyOf(1).Seed()), CB: b64.EncodeToString(binding[:]),
			Prev: b64.EncodeToString(prev[:]), Now: noon.Format(groove.TimeFormat), Body: string(frame[64:]),
			Digest: b64.EncodeToString(digest[:]), Signature: b64.EncodeToString(frame[:64]), Hash: b64.EncodeToString(rec.Hash[:])}
		for _, it := range opened(t, frame).Items {
			v.Nonces = append(v.Nonces, groove.MessageID(it.Env.Nonce).String())
		}
		got = append(got, v)
	}
	if len(got) == 0 {
		t.Fatal("no vectors")
	}
	golden(t, "good.json", got)
}

// opened opens a connection's first frame whatever it acknowledges.
func opened(t *testing.T, frame []byte) *envelope.Frame {
	t.Helper()
	o := newOpener()
	if err := o.Sent(envelope.Record{Seq: 1, Hash: acked}); err != nil {
		t.Fatal(err)
	}
	f, err := o.Open(frame)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var acked = [32]byte{4, 5, 6}

type goodFrame struct {
	name string
	prev bool
	ack  envelope.Ack
	env  []envelope.Outgoing
}

func goodFrames() []goodFrame {
	beat := envelope.Outgoing{ID: uuid7(3), Type: groove.TypeHeartbeat, Job: groove.PeerLegJob, From: address(1, ""), To: address(2, ""),
		Payload: json.RawMessage(`{"time":"2026-04-12T12:00:00.123Z"}`)}
	answer := message(2, `{"text":"naïve \"quotes\" \\ 😀\n<b>&"}`)
	answer.ReplyTo, answer.Expires = uuid7(1), noon.Add(7*24*time.Hour)
	return []goodFrame{
		{name: "the first frame of a leg", env: []envelope.Outgoing{message(1, `{"text":"hello"}`)}},
		{name: "a later connection, an ack, every optional member", prev: true, ack: envelope.Ack{Seq: 1, Hash: acked}, env: []envelope.Outgoing{answer}},
		{name: "several types in one frame", env: []envelope.Outgoing{beat, message(1, `{"text":"a"}`), answer}},
	}
}

// TestBadVectors holds every rule of docs/protocol.md §12 about frames.
func TestBadVectors(t *testing.T) {
	var got []badVector
	for _, row := range badBodies() {
		v := badVector{Name: row.name, Why: row.why, Body: b64.EncodeToString([]byte(row.body))}
		f, err := newOpener().Open(signed([]byte(row.body)))
		if kind := groove.KindOf(err); kind != row.kind {
			t.Errorf("%s: %v, want kind %q", row.name, err, row.kind)
		}
		v.Kind = string(groove.KindOf(err))
		if err == nil {
			v.Items = itemsOf(f)
			if len(f.Items) != len(row.items) {
				t.Fatalf("%s: %d items, want %d", row.name, len(f.Items), len(row.items))
			}
			for i, kind := range row.items {
				if v.Items[i].Kind != string(kind) {
					t.Errorf("%s: envelope %d: %v, want kind %q", row.name, i, f.Items[i].Err, kind)
				}
			}
		}
		got = append(got, v)
	}
	if len(got) == 0 {
		t.Fatal("no vectors")
	}
	golden(t, "refused.json", got)
}

func itemsOf(f *envelope.Frame) (out []badItem) {
	for _, it := range f.Items {
		b := badItem{}
		if it.Err != nil {
			b.Kind = string(it.Err.Kind)
		}
		if it.HasID {
			b.ID = it.ID.String()
		}
		out = append(out, b)
	}
	return out
}

type badBody struct {
	name, why, body string
	kind            groove.Kind   // of the frame
	items           []groove.Kind // of its envelopes, where the frame stands
}

// goodEnvelope is what the rows of badBodies spoil.
func goodEnvelope(n int) string {
	o := message(n, `{"text":"x"}`)
	return string(envelope.AppendEnvelope(nil, &o, [16]byte{6: 0x40, 8: 0x80, 15: byte(n)}, noon))
}

const zeroHash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func bodyOf(envelopes ...string) string {
	return `{"seq":1,"prev":"` + zeroHash + `","ack":{"seq":0,"hash":"` + zeroHash + `"},"envelopes":[` + strings.Join(envelopes, ",") + `]}`
}

// spoil replaces old by new once in a good frame's body.
func spoil(old, new string) string {
	body := bodyOf(goodEnvelope(1))
	if !strings.Contains(body, old) {
		panic("no " + old)
	}
	return strings.Replace(body, old, new, 1)
}
