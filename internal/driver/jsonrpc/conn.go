// Package jsonrpc speaks JSON-RPC 2.0 with one message a line, the framing of
// the Agent Client Protocol over stdio. The driver stands on it at one end and the scripted
// agent program at the other.
//
// One goroutine reads and hands over notifications itself, in order: a slow
// receiver makes the other side wait at its pipe, so a flood costs time and never
// memory. It refuses lines over MaxLine and skips lines that are not JSON-RPC.
package jsonrpc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// MaxLine bounds one message; the longest seen from a real program is 570 kB.
	MaxLine = 10 << 20
	// keepBuffer is the largest line buffer that is kept for the next line.
	keepBuffer = 256 << 10
	// maxServing bounds the requests that are served at once; with more, the reader waits.
	maxServing = 64
)

// Failures of a connection, beside *Error (what the other side answered) and the context's.
var (
	ErrClosed  = errors.New("the connection has ended")
	ErrTooLong = fmt.Errorf("a line is longer than %d MiB", MaxLine>>20)
)

// Handler receives what the other side starts. Notify is called by the reader, in order;
// Serve in a goroutine of its own. Serve's context ends with the connection.
type Handler interface {
	Notify(method string, params json.RawMessage)
	Serve(ctx context.Context, method string, params json.RawMessage) (result any, err *Error)
}

// Request is one call of the other side. The hooks may be nil.
type Request struct {
	Method   string
	Params   any
	Written  func() // called once the line was written whole
	Answered func() // called by the reader when the answer came, before it reads on
}

// Conn is one connection. Its methods may be used concurrently.
type Conn struct {
	in      *bufio.Reader
	out     io.Writer
	handler Handler

	long    []byte // of the reader: a line longer than its buffer
	Skipped int    // lines that were not JSON-RPC; read it after Run

	writing chan struct{} // holds a token while a line is written
	broken  bool          // guarded by writing: half a line was written

	ctx     context.Context
	cancel  context.CancelFunc
	serving chan struct{}
	served  sync.WaitGroup

	mu      sync.Mutex
	last    int64
	pending map[int64]waiter
}

type waiter struct {
	answered func()
	answer   chan message // holds one
}

// New makes a connection; nothing is read before Run.
func New(in io.Reader, out io.Writer, h Handler) *Conn {
	c := &Conn{in: bufio.NewReaderSize(in, 16<<10), out: out, handler: h,
		writing: make(chan struct{}, 1), serving: make(chan struct{}, maxServing), pending: map[int64]waiter{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Run reads until the input ends, then ends every call and waits for the
// requests being served. It returns nil at the end of the input, ErrTooLong, or the read's error.
func (c *Conn) Run() error {
	err := c.read()
	c.cancel()
	c.served.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Close ends every call; Run still waits for its input to end.
func (c *Conn) Close() { c.cancel() }

func (c *Conn) read() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		m, ok := decode(line)
		if !ok {
			c.Skipped++
			continue
		}
		switch {
		case m.Method == "":
			c.settle(m)
		case m.ID == nil:
			c.handler.Notify(m.Method, json.RawMessage(m.Params))
		default:
			c.serve(m)
		}
	}
}

// line returns the next line, valid until the next call. A last line without
// its end is torn and dropped.
func (c *Conn) line() ([]byte, error) {
	part, err := c.in.ReadSlice('\n')
	if err == nil {
		return part, nil
	}
	if cap(c.long) > keepBuffer {
		c.long = nil
	}
	c.long = append(c.long[:0], part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = c.in.ReadSlice('\n')
		if len(c.long)+len(part) > MaxLine {
			return nil, ErrTooLong
		}
		c.long = append(c.long, part...)
	}
	return c.long, err
}

// settle hands an answer to its caller; an answer that nobody waits for is dropped.
func (c *Conn) settle(m message) {
	id, ok := m.number()
	if !ok {
		return
	}
	c.mu.Lock()
	w, ok := c.pending[id]
	delete(c.pending, id)
	c.mu.Unlock()
	if !ok {
		return
	}
	if w.answered != nil {
		w.answered()
	}
	w.answer <- m
}

func (c *Conn) serve(m message) {
	select {
	case c.serving <- struct{}{}:
	case <-c.ctx.Done():
		return
	}
	c.served.Go(func() {
		defer func() { <-c.serving }()
		result, fault := c.handler.Serve(c.ctx, m.Method, json.RawMessage(m.Params))
		reply := outgoing{ID: json.RawMessage(m.ID), Error: fault}
		if fault == nil {
			reply.Result = orEmpty(result)
		}
		// Who asked is gone if this fails, and the reader sees the same end.
		_ = c.send(c.ctx, reply)
	})
}

func orEmpty(result any) any {
	if result == nil {
		return struct{}{}
	}
	return result
}

// Do sends a request and waits for its answer. It fails with *Error when the
// other side refused, ErrClosed when the connection ended, or the context's error.
func (c *Conn) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	w := waiter{answered: r.Answered, answer: make(chan message, 1)}
	c.mu.Lock()
	c.last++
	id := c.last
	c.pending[id] = w
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.pending, id)
		c.mu.Unlock()
	}()
	raw, err := json.Marshal(id)
	if err == nil {
		err = c.send(ctx, outgoing{ID: raw, Method: r.Method, Params: r.Params})
	}
	if err != nil {
		return nil, err
	}
	if r.Written != nil {
		r.Written()
	}
	select {
	case m := <-w.answer:
		return m.outcome()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ctx.Done():
	}
	select { // an answer that came with the end still counts
	case m := <-w.answer:
		return m.outcome()
	default:
		return nil, ErrClosed
	}
}

// Notify sends a notification.
func (c *Conn) Notify(ctx context.Context, method string, params any) error {
	return c.send(ctx, outgoing{Method: method, Params: params})
}

// send writes one line. When ctx ends in the middle of it the connection can
// carry no further line.
func (c *Conn) send(ctx context.Context, m outgoing) error {
	m.Version = "2.0"
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return ErrClosed
	}
	if c.broken {
		return ErrClosed
	}
	release := c.interruptible(ctx)
	n, err := c.out.Write(append(line, '\n'))
	release()
	if err == nil {
		return nil
	}
	c.broken = n > 0 || ctx.Err() == nil
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrClosed, err)
}

// interruptible makes a blocked write end with ctx where the output can do that.
func (c *Conn) interruptible(ctx context.Context) (release func()) {
	out, ok := c.out.(interface{ SetWriteDeadline(time.Time) error })
	if !ok || ctx.Done() == nil {
		return func() {}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		_ = out.SetWriteDeadline(time.Unix(1, 0)) // an output without deadlines blocks until it is closed
	})
	return func() {
		if !stop() {
			<-fired
			_ = out.SetWriteDeadline(time.Time{}) // as above
		}
	}
}
