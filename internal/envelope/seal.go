package envelope

import (
	"crypto/ed25519"
	"io"
	"strconv"

	"groove/internal/groove"
)

// Ack names the last frame received: seq 0 and a zero hash before the first.
type Ack struct {
	Seq  uint64
	Hash [HashSize]byte
}

// Record is what is kept of a sealed frame for the transcript.
type Record struct {
	Seq  uint64
	Hash [HashSize]byte
	Sig  [ed25519.SignatureSize]byte
}

// Sealer numbers, chains and signs the frames that one connection sends. It has
// one writer; it is not safe for concurrent use.
type Sealer struct {
	key    ed25519.PrivateKey
	clock  groove.Clock
	random io.Reader
	digest *digester
	seq    uint64
	prev   [HashSize]byte
	ends   ends
	nonces [groove.MaxEnvelopes * 16]byte
}

// NewSealer makes the sealer of one connection. cb is its channel binding,
// prev the hash of this side's last recorded frame of the leg (zeros: none).
// clock gives the timestamps, random the nonces.
func NewSealer(key ed25519.PrivateKey, cb, prev [32]byte, clock groove.Clock, random io.Reader) *Sealer {
	return &Sealer{key: key, clock: clock, random: random, digest: newDigester(cb), prev: prev}
}

// Seal writes one frame of 1 to 64 envelopes over dst[:0] and returns it, which
// may be a larger buffer. Tell Opener.Sent of the record before the frame is written
// to the wire: its ack may be back before the write returns.
//
// It fails with KindFrameMalformed for no or too many envelopes, KindFrameTooLarge over
// 1 MiB (see Fit), the kinds of Check, and KindInternal where randomness fails; then
// nothing has changed and dst's content is lost.
func (s *Sealer) Seal(dst []byte, ack Ack, env []Outgoing) ([]byte, Record, error) {
	if err := s.check(env); err != nil {
		return nil, Record{}, err
	}
	if _, err := io.ReadFull(s.random, s.nonces[:16*len(env)]); err != nil {
		return nil, Record{}, groove.Errorf("seal frame", groove.KindInternal, "no randomness: %w", err)
	}
	frame := s.appendBody(append(dst[:0], make([]byte, ed25519.SignatureSize)...), ack, env)
	s.digest.sum(frame[ed25519.SignatureSize:])
	copy(frame, s.digest.sign(s.key))

	s.seq++
	s.prev = s.digest.frameHash()
	rec := Record{Seq: s.seq, Hash: s.prev}
	copy(rec.Sig[:], frame)
	return frame, rec, nil
}

func (s *Sealer) check(env []Outgoing) error {
	const op = "seal frame"
	if len(env) == 0 || len(env) > groove.MaxEnvelopes {
		return groove.Errorf(op, groove.KindFrameMalformed, "%d envelopes, a frame holds 1 to %d", len(env), groove.MaxEnvelopes)
	}
	if Fit(env) < len(env) {
		return groove.Errorf(op, groove.KindFrameTooLarge, "%d envelopes do not fit into %d bytes", len(env), groove.MaxFrame)
	}
	for i := range env {
		if err := check(&env[i], &s.ends); err != nil {
			return groove.Wrap(op, groove.KindInternal, err)
		}
	}
	return nil
}

func (s *Sealer) appendBody(b []byte, ack Ack, env []Outgoing) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, s.seq+1, 10)
	b = append(b, `,"prev":"`...)
	b = groove.B64.AppendEncode(b, s.prev[:])
	b = append(b, `","ack":{"seq":`...)
	b = strconv.AppendUint(b, ack.Seq, 10)
	b = append(b, `,"hash":"`...)
	b = groove.B64.AppendEncode(b, ack.Hash[:])
	b = append(b, `"},"envelopes":[`...)
	var buf [timeLen]byte
	stamp := s.clock().UTC().AppendFormat(buf[:0], groove.TimeFormat)
	for i := range env {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEnvelope(b, &env[i], s.nonce(i), stamp)
	}
	return append(b, `]}`...)
}

// nonce makes the i-th piece of this frame's randomness a UUIDv4.
func (s *Sealer) nonce(i int) (n [16]byte) {
	copy(n[:], s.nonces[16*i:])
	n[6] = n[6]&0x0f | 0x40
	n[8] = n[8]&0x3f | 0x80
	return n
}
