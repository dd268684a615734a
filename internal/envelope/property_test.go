package envelope_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"groove/internal/envelope"
	"groove/internal/groove"
)

// outgoing draws any envelope that Check passes.
func outgoing(t *rapid.T) envelope.Outgoing {
	o := message(rapid.IntRange(0, 1<<16-1).Draw(t, "id"), "{}")
	o.Type = rapid.SampledFrom([]groove.Type{groove.TypeMessage, groove.TypeCoordinate, groove.TypeJobUpdate, groove.TypeRegistry,
		groove.TypeStatus, groove.TypeReceipt, groove.TypeHello}).Draw(t, "type")
	if !o.Type.HasAgents() {
		o.From.Agent, o.To.Agent = "", ""
	}
	class := o.Type.Class()
	if (class == groove.Stored || class == groove.Request) && rapid.Bool().Draw(t, "replies") {
		o.ReplyTo = uuid7(9)
	}
	if class == groove.Stored && rapid.Bool().Draw(t, "expires") {
		o.Expires = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC()
	}
	text, err := json.Marshal(rapid.MapOfN(rapid.StringMatching(`[a-z]{1,8}`), rapid.String(), 0, 20).Draw(t, "payload"))
	if err != nil {
		t.Fatal(err)
	}
	o.Payload = text
	return o
}

// TestRoundTrip: Open(Seal(x)) gives x, and every size is foretold exactly.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := newSealer(), newOpener()
		var buf []byte
		for range rapid.IntRange(1, 3).Draw(t, "frames") {
			env := rapid.SliceOfN(rapid.Custom(outgoing), 1, 8).Draw(t, "envelopes")
			var err error
			if buf, _, err = s.Seal(buf, envelope.Ack{}, env); err != nil {
				t.Fatal(err)
			}
			f, err := o.Open(buf)
			if err != nil {
				t.Fatal(err)
			}
			for i, it := range f.Items {
				if it.Err != nil || it.ID != env[i].ID || !it.HasID || it.Env.Timestamp != noon {
					t.Fatalf("%+v", it)
				}
				if len(it.Raw) != envelope.EncodedSize(&env[i]) {
					t.Fatalf("%d bytes, foretold %d", len(it.Raw), envelope.EncodedSize(&env[i]))
				}
				if diff := cmp.Diff(env[i], outgoingOf(&it.Env)); diff != "" {
					t.Fatal(diff)
				}
				if again := envelope.AppendEnvelope(nil, &env[i], it.Env.Nonce, it.Env.Timestamp); string(again) != string(it.Raw) {
					t.Fatalf("%s\n%s", again, it.Raw)
				}
			}
		}
	})
}

func outgoingOf(e *groove.Envelope) envelope.Outgoing {
	return envelope.Outgoing{ID: e.ID, Type: e.Type, Job: e.Job, From: e.From, To: e.To, ReplyTo: e.ReplyTo, Expires: e.Expires, Payload: e.Payload}
}

// TestFlippedByte: any flipped byte of a frame is refused.
func TestFlippedByte(t *testing.T) {
	frame, _ := seal(t, newSealer(), envelope.Ack{}, message(1, `{"text":"hello"}`), message(2, `{"text":"you"}`))
	rapid.Check(t, func(t *rapid.T) {
		bad := append([]byte(nil), frame...)
		bad[rapid.IntRange(0, len(bad)-1).Draw(t, "at")] ^= rapid.ByteRange(1, 255).Draw(t, "flip")
		if _, err := newOpener().Open(bad); groove.KindOf(err) != groove.KindBadSignature {
			t.Fatalf("opened: %v", err)
		}
	})
}

// TestFit: what Fit allows is sealed, within 1 MiB; one more is not.
func TestFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{10, 1 << 10, 16<<10 - 600, 16 << 10, 200 << 10, 500 << 10}).Draw(t, "size")
		env := make([]envelope.Outgoing, rapid.IntRange(1, 70).Draw(t, "count"))
		one := message(1, `{"text":"`+strings.Repeat("x", size)+`"}`)
		for i := range env {
			env[i] = one
		}
		n := envelope.Fit(env)
		if n < 1 {
			t.Fatal("not one fits")
		}
		frame, _, err := newSealer().Seal(nil, envelope.Ack{}, env[:n])
		if err != nil || len(frame) > groove.MaxFrame {
			t.Fatalf("%d of %d: %d bytes, %v", n, len(env), len(frame), err)
		}
		if n < len(env) {
			if _, _, err := newSealer().Seal(nil, envelope.Ack{}, env[:n+1]); err == nil {
				t.Fatalf("Fit says %d of %d, one more was sealed", n, len(env))
			}
		}
	})
}

// TestWriterBesideReader: a connection's writer tells of frames while its reader opens some (-race).
func TestWriterBesideReader(t *testing.T) {
	const frames = 200
	here, there := newOpener(), newOpener()
	s, back := newSealer(), newSealer()
	wire := make(chan []byte, frames)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(wire)
		for i := range frames {
			frame, rec, err := s.Seal(nil, here.Ack(), []envelope.Outgoing{message(i, `{"text":"x"}`)})
			if err == nil {
				err = here.Sent(rec)
			}
			if err != nil {
				t.Error(err)
				return
			}
			wire <- frame
		}
	})
	var last envelope.Record
	for frame := range wire {
		if _, err := there.Open(frame); err != nil {
			t.Fatal(err)
		}
		answer, rec, err := back.Seal(nil, there.Ack(), []envelope.Outgoing{message(1, `{"text":"x"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if err := there.Sent(rec); err != nil {
			t.Fatal(err)
		}
		if _, err := here.Open(answer); err != nil {
			t.Fatal(err)
		}
		last = rec
	}
	wg.Wait()
	if here.Ack().Seq != last.Seq || here.Unacknowledged() != 0 {
		t.Errorf("ack %d of %d, %d unacknowledged", here.Ack().Seq, last.Seq, here.Unacknowledged())
	}
}
