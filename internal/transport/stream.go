package transport

import (
	"crypto/tls"
	"encoding/binary"
	"net"
	"sync/atomic"

	"groove/internal/groove"
)

// maxFragments bounds the frames of one message (docs/protocol.md §12): without
// it, empty ones could be sent for ever inside a message that never grows.
const maxFragments = 1024

// stream is the byte stream under a WebSocket. It reads what came behind the
// HTTP head, then the TLS connection, and holds two limits that the WebSocket
// library does not show: fragments, and sizes as declared, before the bytes come.
type stream struct {
	*tls.Conn
	raw     net.Conn
	early   []byte
	walk    walker
	refusal *groove.Error // found, not yet told to the reader
	refused bool          // told: what still comes is dropped
	hard    atomic.Bool   // Close does not say goodbye in TLS
}

// Read gives what precedes a breach, then the breach once, then drops all that
// comes until the peer ends: a socket that is closed with bytes unread resets, and the peer
// would lose the close frame that tells it why.
func (s *stream) Read(p []byte) (int, error) {
	if s.refusal != nil && !s.refused {
		s.refused = true
		return 0, s.refusal
	}
	for s.refused {
		if _, err := s.fill(p); err != nil {
			return 0, err
		}
	}
	n, err := s.fill(p)
	good, refusal := s.walk.pass(p[:n])
	if refusal == nil {
		return n, err
	}
	s.refusal = refusal
	if good > 0 {
		return good, nil
	}
	return s.Read(p)
}

func (s *stream) fill(p []byte) (int, error) {
	if len(s.early) > 0 {
		n := copy(p, s.early)
		s.early = s.early[n:]
		return n, nil
	}
	return s.Conn.Read(p)
}

// Close ends the connection, at once where the peer is not worth waiting for.
func (s *stream) Close() error {
	if s.hard.Load() {
		return s.raw.Close()
	}
	return s.Conn.Close()
}

// walker follows the frame headers of RFC 6455 §5.2 in a stream of bytes.
type walker struct {
	head      [14]byte // the header that is being collected
	have      int
	skip      uint64 // payload bytes until the next header
	fragments int    // of the message so far
	size      uint64 // of the message so far, as declared
}

// pass walks over b and returns how many of its bytes precede a breach of a
// limit, and the breach.
func (w *walker) pass(b []byte) (int, *groove.Error) {
	for i := 0; i < len(b); {
		if w.skip > 0 {
			n := min(w.skip, uint64(len(b)-i))
			w.skip -= n
			i += int(n)
			continue
		}
		w.head[w.have] = b[i]
		w.have++
		i++
		if w.have < headLen(w.head[:w.have]) {
			continue
		}
		start := max(0, i-w.have)
		w.have = 0
		if err := w.frame(); err != nil {
			return start, err
		}
	}
	return len(b), nil
}

// headLen is the length of the header that begins with h.
func headLen(h []byte) int {
	if len(h) < 2 {
		return 2
	}
	n := 2
	switch h[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if h[1]&0x80 != 0 {
		n += 4 // masking key
	}
	return n
}

// frame counts one frame whose header is whole.
func (w *walker) frame() *groove.Error {
	const op = "read frame"
	w.skip = uint64(w.head[1] & 0x7f)
	switch w.skip {
	case 126:
		w.skip = uint64(binary.BigEndian.Uint16(w.head[2:]))
	case 127:
		w.skip = binary.BigEndian.Uint64(w.head[2:])
	}
	opcode := w.head[0] & 0x0f
	if opcode >= 8 {
		return nil // control: the library holds its 125 bytes
	}
	if opcode != 0 { // not a continuation: a new message
		w.fragments, w.size = 0, 0
	}
	w.fragments++
	// Each alone first: the sum of two could wrap around.
	if w.skip > groove.MaxFrame || w.size+w.skip > groove.MaxFrame {
		return groove.Errorf(op, groove.KindFrameTooLarge, "a message of over %d bytes", groove.MaxFrame)
	}
	w.size += w.skip
	if w.fragments > maxFragments {
		return groove.Errorf(op, groove.KindFrameMalformed, "a message of over %d fragments", maxFragments)
	}
	return nil
}
