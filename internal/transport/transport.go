// Package transport carries whole frames between two daemons that know each
// other's keys: TLS 1.3, both sides with one pinned Ed25519 certificate, and a
// WebSocket with binary messages over it (docs/protocol.md §3, §12).
//
// In the hall it stands after gate, which admitted the source address, and
// before envelope, which checks signatures. It refuses other TLS versions, other key types,
// keys that are not paired, protocols (ALPN) that were not asked for, resumed
// sessions, text messages, messages over 1 MiB and of over 1,024 fragments. What
// is inside a frame it does not look at; and nothing above it knows that a
// WebSocket is below: a broker can stand in by implementing Conn.
package transport

import (
	"context"
	"crypto/ed25519"
	"net/netip"
	"time"

	"groove/internal/groove"
)

// The protocols that are negotiated by ALPN; each has its own path.
const (
	ALPNBridge = "groove-bridge/1" // needs a paired key
	ALPNPair   = "groove-pair/1"   // needs pairing to be armed for the source
)

// DefaultTimeout bounds TLS and upgrade, each (docs/protocol.md §3).
const DefaultTimeout = 10 * time.Second

// exporterLabel names the keying material that binds frames to a connection (RFC 8446 §7.5).
const exporterLabel = "EXPORTER-groove-bridge-1"

// Conn is one connection to a peer whose key was checked. One reader and any
// number of writers may use it at once; Close may be called at any time by anybody,
// and ends both.
type Conn interface {
	// Read waits for the next whole frame. The bytes are valid until the next Read.
	//
	// It returns io.EOF after the peer closed normally, and the peer's own kind
	// after the peer refused. Otherwise it fails with KindFrameTooLarge (over
	// 1 MiB), KindFrameMalformed (text, over 1,024 fragments, no WebSocket), both of which
	// the peer is told; KindTimeout (ctx ended); KindPeerUnreachable (connection lost, or closed
	// here). Any failure ends the connection.
	Read(ctx context.Context) ([]byte, error)

	// Write sends one whole frame; writers take turns. It does not keep frame.
	// It fails with KindFrameTooLarge, and nothing was sent; KindTimeout (ctx ended),
	// which ends the connection if it was this writer's turn; KindPeerUnreachable.
	// Why a peer refused is learned from Read.
	Write(ctx context.Context, frame []byte) error

	// Binding is the same at both ends of this connection and of no other.
	Binding() [32]byte

	// PeerKey is the raw key that the peer proved to hold.
	PeerKey() ed25519.PublicKey

	// Remote is the address at the other end: a hint, never an identity.
	Remote() netip.AddrPort

	// Close tells the peer kind, "" for a normal end, and waits for its answer, 5 s
	// at most; later calls wait for the first. Kinds that never cross the wire
	// are told as KindInternal. An error says only that the peer may not have heard.
	Close(kind groove.Kind) error
}

// pathOf is the HTTP path of a protocol.
func pathOf(alpn string) string {
	if alpn == ALPNPair {
		return "/pair/1"
	}
	return "/bridge/1"
}
