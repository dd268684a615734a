// Package identity holds the key pair that a daemon is known by: it reads the
// key at start, makes it at the first start, and gives the certificate that the
// transport shows to peers (docs/protocol.md §1).
//
// It stands beside the hall, before its first room: gate and transport work
// with what it made. It refuses a key file that is damaged, of another type, or
// readable by others, and it never replaces one.
package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"groove/internal/groove"
)

// Identity is the key pair of a daemon and the ID that follows from it. It is
// read-only after Load and safe for concurrent use.
type Identity struct {
	Key    ed25519.PrivateKey
	Public ed25519.PublicKey
	ID     groove.DaemonID
}

func of(key ed25519.PrivateKey) *Identity {
	public := key.Public().(ed25519.PublicKey) // the method's documented type
	return &Identity{Key: key, Public: public, ID: groove.IDOf(public)}
}

// Certificate makes a self-signed X.509 certificate over the key. Peers ignore
// its name and its dates: the key is what counts. It fails with KindInternal.
func (id *Identity) Certificate() (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "groove"},
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		// RFC 5280 §4.1.2.5: the date that says "no date".
		NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, id.Public, id.Key)
	if err != nil {
		return tls.Certificate{}, groove.Wrap("make certificate", groove.KindInternal, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, groove.Wrap("make certificate", groove.KindInternal, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: id.Key, Leaf: leaf}, nil
}

// NewInstance names one start of a daemon: 128 random bits, base64url without
// padding, 22 characters. Two live instances of one key are a cloned peer.
func NewInstance() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return groove.B64.EncodeToString(b[:])
}

// Sign signs a message with the daemon's key.
func (id *Identity) Sign(message []byte) []byte { return ed25519.Sign(id.Key, message) }
