package transport

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"groove/internal/groove"
)

// maxHead bounds the HTTP head of an upgrade, either way.
const maxHead = 16 << 10

// upgrade answers the one HTTP request of a connection. net/http's server would
// do it too, but it keeps buffers of its own and begins to read past the head,
// where stream has to count from the first byte of the first frame.
func upgrade(raw net.Conn, secure *tls.Conn) (*wsConn, string, error) {
	state := secure.ConnectionState()
	key, err := peerKey(&state)
	if err != nil {
		return nil, "", err
	}
	binding, err := bindingOf(&state)
	if err != nil {
		return nil, "", err
	}
	head := &io.LimitedReader{R: secure, N: maxHead}
	br := bufio.NewReader(head)
	request, err := http.ReadRequest(br)
	if err != nil && head.N == 0 {
		return nil, "", groove.Errorf("upgrade", groove.KindRequestMalformed, "the head is over %d bytes", maxHead)
	}
	if err != nil {
		return nil, "", err
	}
	reply := &reply{stream: newStream(raw, secure, br), header: http.Header{}}
	alpn := state.NegotiatedProtocol
	if code := refuseRequest(request, pathOf(alpn)); code != 0 {
		http.Error(reply, http.StatusText(code), code)
		_ = reply.stream.Close() // refused either way
		return nil, "", groove.Errorf("upgrade", groove.KindRequestMalformed, "answered %d", code)
	}
	// Accept has its own rules for an Origin; here none is left to be checked.
	ws, err := websocket.Accept(reply, request, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		_ = reply.stream.Close() // refused either way
		return nil, "", err
	}
	if err := secure.SetDeadline(noDeadline); err != nil {
		return nil, "", err
	}
	return newConn(ws, reply.stream, binding, key), alpn, nil
}

// refuseRequest returns the status of a request that is not for path, or that a
// web page made; 0 for others.
func refuseRequest(r *http.Request, path string) int {
	if r.RequestURI != path {
		return http.StatusNotFound
	}
	if len(r.Header.Values("Origin")) > 0 {
		return http.StatusForbidden
	}
	return 0
}

// newStream goes on where br stopped.
func newStream(raw net.Conn, secure *tls.Conn, br *bufio.Reader) *stream {
	early, _ := br.Peek(br.Buffered())                                // never more than is there: cannot fail
	return &stream{Conn: secure, raw: raw, early: bytes.Clone(early)} // br goes
}

// reply is the http.ResponseWriter of a connection's one request.
type reply struct {
	stream *stream
	header http.Header
	wrote  bool
	err    error
}

func (w *reply) Header() http.Header { return w.header }

func (w *reply) WriteHeader(code int) {
	if w.wrote {
		return
	}
	w.wrote = true
	if code != http.StatusSwitchingProtocols {
		w.header.Set("Connection", "close") // the body ends with the connection
	}
	bw := bufio.NewWriter(w.stream)
	fmt.Fprintf(bw, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	w.err = w.header.Write(bw)
	if w.err == nil {
		fmt.Fprint(bw, "\r\n")
		w.err = bw.Flush()
	}
}

func (w *reply) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.err != nil {
		return 0, w.err
	}
	return w.stream.Write(b)
}

// Hijack hands the stream to the WebSocket library.
func (w *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.err != nil {
		return nil, nil, w.err
	}
	return w.stream, bufio.NewReadWriter(bufio.NewReader(w.stream), bufio.NewWriter(w.stream)), nil
}
