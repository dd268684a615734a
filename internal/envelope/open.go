package envelope

import (
	"crypto/ed25519"
	"sync"

	"groove/internal/groove"
)

const opOpen = "open frame"

// Frame is one opened frame. Body and each Item's Raw alias the frame that was
// given to Open; all else is its own.
type Frame struct {
	Seq   uint64
	Hash  [HashSize]byte
	Prev  [HashSize]byte // of a connection's first frame: for the caller to compare with the last recorded one
	Sig   [ed25519.SignatureSize]byte
	Ack   Ack
	Items []Item // 1 to 64, as they stood
	Body  []byte // the exact bytes that were signed
}

// Item is one envelope of a frame, or why it cannot be read.
type Item struct {
	// Env is whole if Err is nil. Otherwise it holds what could be read, without
	// payload; its Type is "" where that is unknown.
	Env   groove.Envelope
	Err   *groove.Error // KindMalformed, KindTooLarge
	ID    groove.MessageID
	HasID bool   // the id could be read, whatever else could not
	Raw   []byte // the exact bytes
}

// Opener checks and reads the frames that one connection receives. Open has one
// caller; Sent, Ack and Unacknowledged may be called by others meanwhile.
type Opener struct {
	key    ed25519.PublicKey
	digest *digester
	parser parser

	mu   sync.Mutex
	last Ack // the last frame opened
	sent unacknowledged
}

// NewOpener makes the opener of one connection: key is the peer's, cb the
// channel binding.
func NewOpener(key ed25519.PublicKey, cb [32]byte) *Opener {
	return &Opener{key: key, digest: newDigester(cb)}
}

// Open checks and reads one frame. Each refusal ends the connection:
// KindFrameTooLarge over 1 MiB, KindFrameMalformed for a frame too short or a body that
// cannot be read, KindBadSignature, KindBadSeq for a gap, a repeat, a wrong prev
// after the first frame, or a false ack. Envelopes that are refused alone
// carry their own error.
func (o *Opener) Open(frame []byte) (*Frame, error) {
	switch n := len(frame); {
	case n > groove.MaxFrame:
		return nil, groove.Errorf(opOpen, groove.KindFrameTooLarge, "%d bytes, the limit is %d", n, groove.MaxFrame)
	case n < ed25519.SignatureSize+len("{}"):
		return nil, groove.Errorf(opOpen, groove.KindFrameMalformed, "%d bytes are no frame", n)
	}
	f := &Frame{Body: frame[ed25519.SignatureSize:]}
	copy(f.Sig[:], frame)
	o.digest.sum(f.Body)
	if !o.digest.verify(o.key, f.Sig[:]) {
		return nil, groove.Errorf(opOpen, groove.KindBadSignature, "the signature is not the peer's on this connection")
	}
	f.Hash = o.digest.frameHash()
	if why := o.parser.body(f); why != "" {
		return nil, groove.Errorf(opOpen, groove.KindFrameMalformed, "%s", why)
	}
	if err := o.follow(f); err != nil {
		return nil, err
	}
	return f, nil
}

// follow checks the frame's place in the chain and takes it as the last one.
func (o *Opener) follow(f *Frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case f.Seq != o.last.Seq+1:
		return groove.Errorf(opOpen, groove.KindBadSeq, "frame %d came after frame %d", f.Seq, o.last.Seq)
	case f.Seq > 1 && f.Prev != o.last.Hash:
		return groove.Errorf(opOpen, groove.KindBadSeq, "frame %d does not follow the frame before it", f.Seq)
	}
	if why := o.sent.acknowledge(f.Ack); why != "" {
		return groove.Errorf(opOpen, groove.KindBadSeq, "frame %d: %s", f.Seq, why)
	}
	o.last = Ack{Seq: f.Seq, Hash: f.Hash}
	return nil
}

// Ack names the last frame opened, for the next frame to be sealed.
func (o *Opener) Ack() Ack {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// Sent tells of a frame that is about to be written to the wire. It fails with
// KindBadSeq if 65,536 frames are not acknowledged: such a peer reads nothing or lies.
func (o *Opener) Sent(rec Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent.add(rec)
}

// Unacknowledged returns how many frames were sent and not acknowledged.
func (o *Opener) Unacknowledged() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sent.hashes)
}
