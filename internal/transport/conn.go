package transport

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"groove/internal/groove"
)

const (
	// closeGrace is how long a peer may take to answer a close (docs/protocol.md §8).
	closeGrace = 5 * time.Second
	// firstBuffer holds one message of the usual size, and keptBuffer is what an
	// idle connection may hold on to after a large one.
	firstBuffer = 1 << 10 // holds a heartbeat
	keptBuffer  = 64 << 10
)

// wsConn is a Conn over a WebSocket.
type wsConn struct {
	ws      *websocket.Conn
	stream  *stream
	binding [32]byte
	key     ed25519.PublicKey
	remote  netip.AddrPort

	reading, writing watch
	turn             chan struct{} // held by the writer
	buf              []byte        // the reader's
	last             int           // length of the frame in buf

	once   sync.Once
	closed atomic.Bool // Close was called on this side
}

func newConn(ws *websocket.Conn, s *stream, binding [32]byte, key ed25519.PublicKey) *wsConn {
	ws.SetReadLimit(-1) // stream holds the limit, by header
	c := &wsConn{ws: ws, stream: s, binding: binding, key: key,
		remote: sourceOf(s.raw.RemoteAddr()), turn: make(chan struct{}, 1)}
	past := time.Unix(1, 0)
	c.reading.expire = func() { _ = s.SetReadDeadline(past) } // fails only when closed
	c.writing.expire = func() { _ = s.SetWriteDeadline(past) }
	return c
}

func (c *wsConn) Binding() [32]byte          { return c.binding }
func (c *wsConn) PeerKey() ed25519.PublicKey { return c.key }
func (c *wsConn) Remote() netip.AddrPort     { return c.remote }

func (c *wsConn) Read(ctx context.Context) ([]byte, error) {
	a := c.reading.begin(ctx)
	frame, err := c.readFrame()
	if !c.reading.end(a) {
		c.drop()
		return nil, ended("read frame", ctx)
	}
	if err != nil {
		return nil, c.failedRead(err)
	}
	return frame, nil
}

// readFrame reads one message into the connection's own buffer.
func (c *wsConn) readFrame() ([]byte, error) {
	// The context is watched by the caller: the library would watch it anew for
	// each header and each piece.
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		return nil, errText
	}
	b := c.buffer()
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			c.buf, c.last = b, len(b)
			return b, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// buffer gives the last one back unless it grew for a message far larger than
// the one after it.
func (c *wsConn) buffer() []byte {
	if c.buf == nil || cap(c.buf) > keptBuffer && c.last < cap(c.buf)/4 {
		return make([]byte, 0, firstBuffer)
	}
	return c.buf[:0]
}

// failedRead ends the connection in the way that err asks for, and names err.
func (c *wsConn) failedRead(err error) error {
	if c.closed.Load() {
		return closedHere("read frame")
	}
	code, named := classify(err)
	if code != 0 {
		reason := ""
		if code == websocket.StatusPolicyViolation {
			reason = string(groove.KindOf(named))
		}
		_ = c.close(code, reason) // the peer may be gone; named says what counts
		return named
	}
	c.drop()
	return named
}

func (c *wsConn) Write(ctx context.Context, frame []byte) error {
	const op = "write frame"
	if len(frame) > groove.MaxFrame {
		return groove.Errorf(op, groove.KindFrameTooLarge, "%d bytes, the limit is %d", len(frame), groove.MaxFrame)
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ended(op, ctx) // nothing was begun: the connection stays
	}
	defer func() { <-c.turn }()
	a := c.writing.begin(ctx)
	err := c.ws.Write(context.Background(), websocket.MessageBinary, frame)
	if !c.writing.end(a) {
		c.drop()
		return ended(op, ctx)
	}
	if err == nil {
		return nil
	}
	c.writing.release()
	if c.closed.Load() {
		return closedHere(op)
	}
	// The connection is left to the reader, which may still find why the peer
	// closed it.
	return groove.Wrap(op, groove.KindPeerUnreachable, err)
}

func (c *wsConn) Close(kind groove.Kind) error {
	if kind == "" {
		return c.close(websocket.StatusNormalClosure, "")
	}
	return c.close(websocket.StatusPolicyViolation, string(wireKind(kind)))
}

// close says goodbye and waits for the answer within closeGrace.
func (c *wsConn) close(code websocket.StatusCode, reason string) error {
	var err error
	c.once.Do(func() {
		c.closed.Store(true)
		// The library bounds its own waits, but not a write that is stuck, nor the
		// payload that it skips.
		_ = c.stream.SetDeadline(time.Now().Add(closeGrace)) // fails only when closed
		err = c.ws.Close(code, reason)
		c.release()
	})
	if errors.Is(err, net.ErrClosed) {
		return nil // the peer was first
	}
	return groove.Wrap("close connection", groove.KindPeerUnreachable, err)
}

// drop ends the connection without a word.
func (c *wsConn) drop() {
	c.once.Do(func() {
		c.stream.hard.Store(true)
		_ = c.ws.CloseNow() // the connection is given up either way
	})
	c.release()
}

func (c *wsConn) release() {
	c.reading.release()
	c.writing.release()
}

// sourceOf reads a TCP address, IPv4 also where it comes mapped.
func sourceOf(addr net.Addr) netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
