package envelope

import (
	"crypto/ed25519"
	"crypto/sha512"
	"hash"
)

// The labels keep a signature from being worth anything in another place of
// the protocol.
const (
	digestLabel = "groove-bridge-1\n"
	signLabel   = "groove-frame-1\n"
)

// HashSize is the size of the hashes that chain frames, in bytes.
const HashSize = 32

// Digest is SHA-512("groove-bridge-1\n" ‖ cb ‖ body). It is what the signature
// covers; its first 32 bytes are the frame's hash in prev and ack.
func Digest(cb [32]byte, body []byte) [64]byte {
	d := newDigester(cb)
	d.sum(body)
	return d.digest
}

// digester computes digests with one hash state, kept between frames.
type digester struct {
	hash   hash.Hash
	head   [len(digestLabel) + 32]byte
	digest [64]byte
	signed [len(signLabel) + 64]byte
}

func newDigester(cb [32]byte) *digester {
	d := &digester{hash: sha512.New()}
	copy(d.head[copy(d.head[:], digestLabel):], cb[:])
	copy(d.signed[:], signLabel)
	return d
}

// sum leaves the digest of body in d.digest.
func (d *digester) sum(body []byte) {
	d.hash.Reset()
	d.hash.Write(d.head[:]) // a hash.Hash never fails
	d.hash.Write(body)
	d.hash.Sum(d.digest[:0])
}

// message is what the signature is over.
func (d *digester) message() []byte {
	copy(d.signed[len(signLabel):], d.digest[:])
	return d.signed[:]
}

func (d *digester) frameHash() (h [HashSize]byte) {
	copy(h[:], d.digest[:HashSize])
	return h
}

func (d *digester) sign(key ed25519.PrivateKey) []byte { return ed25519.Sign(key, d.message()) }

func (d *digester) verify(key ed25519.PublicKey, sig []byte) bool {
	return ed25519.Verify(key, d.message(), sig)
}
