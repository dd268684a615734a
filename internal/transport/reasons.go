package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/coder/websocket"

	"groove/internal/groove"
)

// errText is a text message where only binary ones are taken.
var errText = errors.New("a text message")

// classify names why a read failed, and gives the status with which the peer is
// told; 0 where there is nobody to tell.
func classify(err error) (websocket.StatusCode, error) {
	const op = "read frame"
	var limit *groove.Error
	var bye websocket.CloseError
	switch {
	case errors.As(err, &limit):
		return websocket.StatusPolicyViolation, limit
	case errors.Is(err, errText):
		return websocket.StatusUnsupportedData, groove.Errorf(op, groove.KindFrameMalformed, "%w", errText)
	case errors.As(err, &bye):
		return 0, closedByPeer(bye)
	case lost(err):
		return 0, groove.Errorf(op, groove.KindPeerUnreachable, "the connection was lost: %w", err)
	}
	// What is left broke RFC 6455; the library has told the peer so.
	return 0, groove.Errorf(op, groove.KindFrameMalformed, "%w", err)
}

// closedByPeer reads the peer's last word. io.EOF stands for a normal end.
func closedByPeer(bye websocket.CloseError) error {
	const op = "read frame"
	switch bye.Code {
	case websocket.StatusNormalClosure:
		return io.EOF
	case websocket.StatusPolicyViolation:
		kind := wireKind(groove.Kind(bye.Reason))
		return groove.Errorf(op, kind, "the peer refused: %q", bye.Reason)
	case websocket.StatusUnsupportedData, websocket.StatusProtocolError, websocket.StatusInvalidFramePayloadData:
		return groove.Errorf(op, groove.KindFrameMalformed, "the peer could not read what it was sent: %w", bye)
	case websocket.StatusMessageTooBig:
		return groove.Errorf(op, groove.KindFrameTooLarge, "the peer takes no message of this size: %w", bye)
	}
	return groove.Errorf(op, groove.KindPeerUnreachable, "the peer closed: %w", bye)
}

// wireKind is the kind as it may cross the wire. A local kind from a peer would
// otherwise pass for a fault of this machine.
func wireKind(kind groove.Kind) groove.Kind {
	if kind.Class() == groove.Local { // unknown kinds are local, too
		return groove.KindInternal
	}
	return kind
}

// lost reports whether the network, not the peer's word, ended a connection.
func lost(err error) bool {
	var network net.Error
	var system syscall.Errno
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network) || errors.As(err, &system)
}

func ended(op string, ctx context.Context) error {
	return groove.Wrap(op, groove.KindTimeout, context.Cause(ctx))
}

func closedHere(op string) error {
	return groove.Errorf(op, groove.KindPeerUnreachable, "the connection was closed here: %w", net.ErrClosed)
}
