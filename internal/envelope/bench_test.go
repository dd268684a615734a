package envelope_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"groove/internal/envelope"
	"groove/internal/groove"
)

// backlog is what a drain sends: 64 messages of 1 KiB with a line break in each.
func backlog() []envelope.Outgoing {
	text := `{"text":"` + strings.Repeat("agents talk about code. ", 42) + `\n"}`
	out := make([]envelope.Outgoing, groove.MaxEnvelopes)
	for i := range out {
		out[i] = message(i, text)
	}
	return out
}

func perEnvelope(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/groove.MaxEnvelopes, "ns/envelope")
}

func BenchmarkSeal64x1KiB(b *testing.B) {
	env := backlog()
	s := envelope.NewSealer(keyOf(1), binding, [32]byte{}, time.Now, rand.Reader)
	var frame []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if frame, _, err = s.Seal(frame, envelope.Ack{}, env); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(frame)))
	perEnvelope(b)
}

func BenchmarkOpen64x1KiB(b *testing.B) {
	s := envelope.NewSealer(keyOf(1), binding, [32]byte{}, time.Now, rand.Reader)
	frames := make([][]byte, 64)
	for i := range frames {
		var err error
		if frames[i], _, err = s.Seal(nil, envelope.Ack{}, backlog()); err != nil {
			b.Fatal(err)
		}
	}
	key := keyOf(1).Public().(ed25519.PublicKey)
	var o *envelope.Opener
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i%len(frames) == 0 {
			o = envelope.NewOpener(key, binding)
		}
		if _, err := o.Open(frames[i%len(frames)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.SetBytes(int64(len(frames[0])))
	perEnvelope(b)
}
