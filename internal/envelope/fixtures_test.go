package envelope_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"testing"
	"time"

	"groove/internal/envelope"
	"groove/internal/groove"
)

var (
	binding = [32]byte{1, 2, 3}
	noon    = time.Date(2026, 4, 12, 12, 0, 0, 123e6, time.UTC)
)

func clock() time.Time { return noon }

// keyOf is a fixed key, so that vectors do not change.
func keyOf(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func publicOf(n byte) ed25519.PublicKey { return keyOf(n).Public().(ed25519.PublicKey) }

// uuid7 is the n-th fixed message ID.
func uuid7(n int) groove.MessageID {
	return groove.MessageID{0x01, 0x98, 0xc0, 0xde, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}
}

func address(n byte, agent groove.AgentName) groove.Address {
	return groove.Address{Daemon: groove.IDOf(publicOf(n)), Agent: agent}
}

func message(n int, payload string) envelope.Outgoing {
	return envelope.Outgoing{ID: uuid7(n), Type: groove.TypeMessage, Job: groove.NewJobID([16]byte{7}),
		From: address(1, "frontend-1"), To: address(2, "backend-3"), Payload: json.RawMessage(payload)}
}

// counter is a source of fixed bytes that never repeat a nonce within a frame.
type counter struct{ n byte }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		c.n += 37
		b[i] = c.n
	}
	return len(b), nil
}

var _ io.Reader = (*counter)(nil)

func newSealer() *envelope.Sealer {
	return envelope.NewSealer(keyOf(1), binding, [32]byte{}, clock, &counter{})
}

func newOpener() *envelope.Opener { return envelope.NewOpener(publicOf(1), binding) }

// seal seals with s and fails the test if that fails.
func seal(t testing.TB, s *envelope.Sealer, ack envelope.Ack, env ...envelope.Outgoing) ([]byte, envelope.Record) {
	t.Helper()
	frame, rec, err := s.Seal(nil, ack, env)
	if err != nil {
		t.Fatal(err)
	}
	return frame, rec
}

// signed makes a frame of any body, good or bad.
func signed(body []byte) []byte {
	digest := envelope.Digest(binding, body)
	sig := ed25519.Sign(keyOf(1), append([]byte("groove-frame-1\n"), digest[:]...))
	return append(sig, body...)
}
