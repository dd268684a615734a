package envelope_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groove/internal/envelope"
	"groove/internal/groove"
)

func wantKind(t *testing.T, err error, kind groove.Kind) {
	t.Helper()
	if got := groove.KindOf(err); got != kind {
		t.Errorf("%v: kind %q, want %q", err, got, kind)
	}
}

// TestRefusedBeforeParsing: size and signature come first, whatever the JSON is.
func TestRefusedBeforeParsing(t *testing.T) {
	good, _ := seal(t, newSealer(), envelope.Ack{}, message(1, `{"text":"x"}`))
	reflected := envelope.NewOpener(publicOf(2), binding)
	elsewhere := envelope.NewOpener(publicOf(1), [32]byte{9})
	rows := []struct {
		name, why string
		opener    *envelope.Opener
		frame     []byte
		kind      groove.Kind
	}{
		{"empty", "no frame", newOpener(), nil, groove.KindFrameMalformed},
		{"a signature alone", "no body", newOpener(), good[:64], groove.KindFrameMalformed},
		{"65 bytes", "shorter than {}", newOpener(), good[:65], groove.KindFrameMalformed},
		{"one byte over 1 MiB", "size is known first", newOpener(), make([]byte, groove.MaxFrame+1), groove.KindFrameTooLarge},
		{"exactly 1 MiB", "is let through to the signature", newOpener(), make([]byte, groove.MaxFrame), groove.KindBadSignature},
		{"unsigned junk", "junk is not parsed", newOpener(), append(make([]byte, 64), "{{{"...), groove.KindBadSignature},
		{"another key", "a frame shown to a third daemon", reflected, good, groove.KindBadSignature},
		{"another connection", "the channel binding is signed", elsewhere, good, groove.KindBadSignature},
		{"cut off", "the exact bytes are signed", newOpener(), good[:len(good)-1], groove.KindBadSignature},
		{"a space more", "the exact bytes are signed", newOpener(), append(good[:len(good):len(good)], ' '), groove.KindBadSignature},
	}
	for _, r := range rows {
		f, err := r.opener.Open(r.frame)
		if wantKind(t, err, r.kind); f != nil {
			t.Errorf("%s: a refused frame was returned", r.name)
		}
	}
}

func TestSequence(t *testing.T) {
	s, o := newSealer(), newOpener()
	var frames [][]byte
	for i := range 4 {
		f, _ := seal(t, s, envelope.Ack{}, message(i, `{"text":"x"}`))
		frames = append(frames, f)
	}
	for _, step := range []struct {
		why   string
		frame int
		kind  groove.Kind
	}{
		{"a gap at the start", 1, groove.KindBadSeq},
		{"the first", 0, ""},
		{"a repeat", 0, groove.KindBadSeq},
		{"a gap", 2, groove.KindBadSeq},
		{"a refusal changes nothing", 1, ""},
		{"reordered", 3, groove.KindBadSeq},
		{"the third", 2, ""},
	} {
		_, err := o.Open(frames[step.frame])
		t.Log(step.why)
		wantKind(t, err, step.kind)
	}
}

// TestWrongPrev: a frame of the right number that follows another frame.
func TestWrongPrev(t *testing.T) {
	o, one, two := newOpener(), newSealer(), newSealer()
	first, _ := seal(t, one, envelope.Ack{}, message(1, `{"text":"a"}`))
	seal(t, two, envelope.Ack{}, message(1, `{"text":"b"}`))
	second, _ := seal(t, two, envelope.Ack{}, message(2, `{"text":"c"}`))
	_, err := o.Open(first)
	wantKind(t, err, "")
	_, err = o.Open(second)
	wantKind(t, err, groove.KindBadSeq)
}

// TestFirstPrev: the first prev is any, and the caller gets it.
func TestFirstPrev(t *testing.T) {
	prev := [32]byte{8}
	s := envelope.NewSealer(keyOf(1), binding, prev, clock, rand.Reader)
	frame, rec := seal(t, s, envelope.Ack{}, message(1, `{"text":"a"}`))
	o := newOpener()
	f, err := o.Open(frame)
	if err != nil || f.Prev != prev || f.Hash != rec.Hash || f.Sig != rec.Sig || f.Seq != 1 {
		t.Fatalf("%+v %v", f, err)
	}
	if got := o.Ack(); got != (envelope.Ack{Seq: 1, Hash: rec.Hash}) {
		t.Errorf("ack %+v", got)
	}
}

func TestAcks(t *testing.T) {
	hash := func(n byte) [32]byte { return [32]byte{n} }
	for _, r := range []struct {
		why  string
		acks []envelope.Ack // three frames were sent, with hashes 1, 2, 3
		kind groove.Kind    // of the last
	}{
		{"none yet", []envelope.Ack{{}}, ""},
		{"in steps, repeated, at once", []envelope.Ack{{}, {1, hash(1)}, {1, hash(1)}, {3, hash(3)}, {3, hash(3)}}, ""},
		{"falls", []envelope.Ack{{2, hash(2)}, {1, hash(1)}}, groove.KindBadSeq},
		{"falls to none", []envelope.Ack{{2, hash(2)}, {}}, groove.KindBadSeq},
		{"not sent", []envelope.Ack{{4, hash(4)}}, groove.KindBadSeq},
		{"far beyond", []envelope.Ack{{1<<53 - 1, hash(4)}}, groove.KindBadSeq},
		{"wrong hash", []envelope.Ack{{2, hash(1)}}, groove.KindBadSeq},
		{"repeated with a wrong hash", []envelope.Ack{{2, hash(2)}, {2, hash(1)}}, groove.KindBadSeq},
	} {
		s, o := newSealer(), newOpener()
		for n := byte(1); n <= 3; n++ {
			wantKind(t, o.Sent(envelope.Record{Seq: uint64(n), Hash: hash(n)}), "")
		}
		for i, a := range r.acks {
			frame, _ := seal(t, s, a, message(1, `{"text":"a"}`))
			_, err := o.Open(frame)
			t.Log(r.why)
			if i < len(r.acks)-1 {
				wantKind(t, err, "")
			} else {
				wantKind(t, err, r.kind)
			}
		}
	}
}

// TestAcksAreBounded: a peer that acknowledges nothing costs no more memory at some point.
func TestAcksAreBounded(t *testing.T) {
	o := newOpener()
	wantKind(t, o.Sent(envelope.Record{Seq: 2}), groove.KindInternal)
	for seq := uint64(1); seq <= 65536; seq++ {
		if err := o.Sent(envelope.Record{Seq: seq, Hash: [32]byte{byte(seq), byte(seq >> 8)}}); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, o.Sent(envelope.Record{Seq: 65537}), groove.KindBadSeq)
	frame, _ := seal(t, newSealer(), envelope.Ack{Seq: 258, Hash: [32]byte{2, 1}}, message(1, `{"text":"a"}`))
	_, err := o.Open(frame)
	wantKind(t, err, "")
	wantKind(t, o.Sent(envelope.Record{Seq: 65537}), "")
	if n := o.Unacknowledged(); n != 65536-258+1 {
		t.Errorf("%d unacknowledged", n)
	}
}

func TestTooLargeAlone(t *testing.T) {
	pad := strings.Repeat("x", groove.MaxEnvelope-len(goodEnvelope(1))+1)
	fits := strings.Replace(goodEnvelope(1), `"x"`, `"`+pad+`"`, 1)
	over := strings.Replace(goodEnvelope(1), `"x"`, `"`+pad+`x"`, 1)
	f, err := newOpener().Open(signed([]byte(bodyOf(over, goodEnvelope(2)))))
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, f.Items[0].Err, groove.KindTooLarge)
	if !f.Items[0].HasID || f.Items[1].Err != nil || string(f.Items[0].Raw) != over {
		t.Errorf("the id is lost or the neighbour suffers: %v", f.Items[1].Err)
	}
	f, err = newOpener().Open(signed([]byte(bodyOf(fits))))
	if err != nil || f.Items[0].Err != nil {
		t.Errorf("exactly %d bytes are refused: %v", len(fits), err)
	}
}

// TestAnyOrder: another implementation may write members in another order, with spaces and escapes.
func TestAnyOrder(t *testing.T) {
	env := strings.NewReplacer(`{"id"`, "{ \"i\\u0064\"", `,"payload":{"text":"x"}`, ``, `"type"`, `"payload" : {"a":{"b":[{"c":[[[1.5e-3,true,null,"\ud83d\ude00"]]]}]}} , "type"`).Replace(goodEnvelope(1))
	body := "\n{ \"envelopes\" : [ " + env + " ] , \"ack\":{\"hash\":\"" + zeroHash + "\",\"seq\":0},\t\"prev\":\"" + zeroHash + "\",\"seq\":1}\r\n"
	f, err := newOpener().Open(signed([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	it := f.Items[0]
	if it.Err != nil || it.ID != uuid7(1) || string(it.Env.Payload) != `{"a":{"b":[{"c":[[[1.5e-3,true,null,"\ud83d\ude00"]]]}]}}` || string(it.Raw) != env {
		t.Errorf("%+v", it)
	}
}

// TestDepth: the envelope is depth 1, its payload 2, and 10 is allowed.
func TestDepth(t *testing.T) {
	for depth, kind := range map[int]groove.Kind{10: "", 11: groove.KindMalformed} {
		for _, b := range [][2]string{{`{"a":`, `}`}, {`[`, `]`}} {
			inner := strings.Repeat(b[0], depth-2) + "1" + strings.Repeat(b[1], depth-2)
			f, err := newOpener().Open(signed([]byte(bodyOf(strings.Replace(goodEnvelope(1), `"x"`, inner, 1)))))
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Items[0].Err; (got == nil) != (kind == "") {
				t.Errorf("depth %d of %s: %v", depth, b[0], got)
			}
		}
	}
}

// TestPayloadOutlivesBuffer: the read buffer is used again while the message waits for its commit.
func TestPayloadOutlivesBuffer(t *testing.T) {
	frame, _ := seal(t, newSealer(), envelope.Ack{}, message(1, `{"text":"keep"}`))
	f, err := newOpener().Open(frame)
	if err != nil {
		t.Fatal(err)
	}
	want := f.Items[0].Env
	want.Payload = []byte(string(want.Payload))
	clear(frame)
	if diff := cmp.Diff(want, f.Items[0].Env); diff != "" {
		t.Errorf("changed with the buffer:\n%s", diff)
	}
}

func TestSealRefuses(t *testing.T) {
	good := message(1, `{"text":"x"}`)
	spoiled := func(f func(o *envelope.Outgoing)) []envelope.Outgoing {
		o := good
		f(&o)
		return []envelope.Outgoing{good, o}
	}
	big := message(1, `{"text":"`+strings.Repeat("x", 500<<10)+`"}`)
	for _, r := range []struct {
		why  string
		env  []envelope.Outgoing
		kind groove.Kind
	}{
		{"an empty frame", nil, groove.KindFrameMalformed},
		{"65 envelopes", make([]envelope.Outgoing, 65), groove.KindFrameMalformed},
		{"three of 500 KiB", []envelope.Outgoing{big, big, big}, groove.KindFrameTooLarge},
		{"over 512 KiB", []envelope.Outgoing{message(1, `{"text":"`+strings.Repeat("x", 512<<10)+`"}`)}, groove.KindTooLarge},
		{"no id", spoiled(func(o *envelope.Outgoing) { o.ID = groove.MessageID{} }), groove.KindMalformed},
		{"no type", spoiled(func(o *envelope.Outgoing) { o.Type = "" }), groove.KindMalformed},
		{"no job", spoiled(func(o *envelope.Outgoing) { o.Job = "" }), groove.KindMalformed},
		{"a daemon that breaks out of its quotes", spoiled(func(o *envelope.Outgoing) { o.To.Daemon = `","x":"` }), groove.KindMalformed},
		{"an agent that breaks out of its quotes", spoiled(func(o *envelope.Outgoing) { o.From.Agent = `a"` }), groove.KindMalformed},
		{"no agent", spoiled(func(o *envelope.Outgoing) { o.From.Agent = "" }), groove.KindMalformed},
		{"no payload", spoiled(func(o *envelope.Outgoing) { o.Payload = nil }), groove.KindMalformed},
		{"expires on control", spoiled(func(o *envelope.Outgoing) {
			*o = envelope.Outgoing{ID: o.ID, Type: groove.TypeHeartbeat, Job: o.Job, From: address(1, ""), To: address(2, ""), Payload: o.Payload, Expires: noon}
		}), groove.KindMalformed},
	} {
		s := newSealer()
		_, _, err := s.Seal(nil, envelope.Ack{}, r.env)
		t.Log(r.why)
		wantKind(t, err, r.kind)
		if _, rec := seal(t, s, envelope.Ack{}, good); rec.Seq != 1 {
			t.Errorf("%s: a refusal used up a number", r.why)
		}
	}
	s := envelope.NewSealer(keyOf(1), binding, [32]byte{}, time.Now, failing{})
	_, _, err := s.Seal(nil, envelope.Ack{}, []envelope.Outgoing{good})
	wantKind(t, err, groove.KindInternal)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no entropy") }
