package tools

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"groove/internal/groove"
)

// maxLine is one JSON-RPC message on standard input.
const maxLine = 4 << 20

// metaVersion is where newer versions of MCP name themselves in each request.
const metaVersion = "io.modelcontextprotocol/protocolVersion"

// Stdio carries JSON-RPC lines between in, out and the MCP endpoint at url until
// in ends or ctx does. Messages pass as they are; calls run side by side, a
// cancelled one ends its request, and one that cannot be carried is answered
// with an error.
func Stdio(ctx context.Context, url, token string, in io.Reader, out io.Writer) error {
	return StdioTo(ctx, func(context.Context) (Endpoint, error) { return Endpoint{URL: url, Token: token}, nil }, in, out)
}

// Endpoint is where the MCP server is, and as whom it is asked.
type Endpoint struct{ URL, Token string }

// StdioTo is Stdio with an endpoint that may change: find is asked for each message, and
// its error is the answer to it.
func StdioTo(ctx context.Context, find func(context.Context) (Endpoint, error), in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &stdio{find: find, out: out, client: &http.Client{}, calls: map[string]context.CancelFunc{}}
	defer s.client.CloseIdleConnections()
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		raw := bytes.TrimSpace(lines.Bytes())
		if len(raw) == 0 {
			continue
		}
		m := message{raw: bytes.Clone(raw)}
		// A batch or a broken line has no head; the endpoint refuses what it cannot read.
		_ = json.Unmarshal(m.raw, &m.head)
		s.cancelled(&m)
		callCtx, done := s.begin(ctx, &m)
		running.Go(func() { defer done(); s.carry(callCtx, &m) })
		if m.head.Method == "initialize" {
			running.Wait() // its answer says which version the others speak
		}
	}
	return groove.Wrap("mcp shim", groove.KindMalformed, lines.Err())
}

type message struct {
	raw  []byte
	head struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Name      string                     `json:"name"`
			RequestID json.RawMessage            `json:"requestId"`
			Meta      map[string]json.RawMessage `json:"_meta"`
		} `json:"params"`
	}
}

type stdio struct {
	find   func(context.Context) (Endpoint, error)
	client *http.Client

	mu      sync.Mutex
	out     io.Writer
	version string
	calls   map[string]context.CancelFunc
}

// begin gives the message its own ctx, found again by its id.
func (s *stdio) begin(ctx context.Context, m *message) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	if m.head.Method == "" || m.head.ID == nil {
		return ctx, cancel
	}
	id := string(m.head.ID)
	s.mu.Lock()
	s.calls[id] = cancel
	s.mu.Unlock()
	return ctx, func() {
		cancel()
		s.mu.Lock()
		delete(s.calls, id)
		s.mu.Unlock()
	}
}

// cancelled ends the request that a cancellation names: the endpoint keeps no
// sessions and could not find it.
func (s *stdio) cancelled(m *message) {
	if m.head.Method != "notifications/cancelled" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel, ok := s.calls[string(m.head.Params.RequestID)]; ok {
		cancel()
	}
}

func (s *stdio) carry(ctx context.Context, m *message) {
	answered, err := s.post(ctx, m)
	if ctx.Err() != nil || answered || m.head.Method == "" || m.head.ID == nil {
		return
	}
	if err == nil {
		err = errors.New("the connection to groove ended before the answer")
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": m.head.ID, "error": map[string]any{"code": -32603, "message": err.Error()}}
	if b, err := json.Marshal(answer); err == nil { // an id that was read can be written
		s.write(b)
	}
}

func (s *stdio) post(ctx context.Context, m *message) (answered bool, err error) {
	at, err := s.find(ctx)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL, bytes.NewReader(m.raw))
	if err != nil {
		return false, fmt.Errorf("GROOVE_MCP_URL is not usable")
	}
	req.Header.Set("Authorization", "Bearer "+at.Token)
	s.headers(req.Header, m)
	resp, err := s.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("groove does not answer (%s): %w", groove.KindDaemonDown, err)
	}
	defer resp.Body.Close()
	kind := resp.Header.Get("Content-Type")
	switch {
	case resp.StatusCode == http.StatusAccepted:
		return false, nil
	case strings.HasPrefix(kind, "application/json"):
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return false, err
		}
		return s.answer(m, b), nil
	case strings.HasPrefix(kind, "text/event-stream"):
		return s.events(m, resp.Body)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 512))
	return false, errors.Join(fmt.Errorf("groove refused: %s: %s", resp.Status, bytes.TrimSpace(b)), err)
}

func (s *stdio) headers(h http.Header, m *message) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json, text/event-stream")
	s.mu.Lock()
	version := s.version
	s.mu.Unlock()
	if v, ok := m.head.Params.Meta[metaVersion]; ok && json.Unmarshal(v, &version) == nil {
		h.Set("Mcp-Method", m.head.Method)
		if m.head.Params.Name != "" {
			h.Set("Mcp-Name", m.head.Params.Name)
		}
	}
	if version != "" {
		h.Set("Mcp-Protocol-Version", version)
	}
}

// events writes each event's data as a line (the SSE of the WHATWG, of which MCP
// uses data alone).
func (s *stdio) events(m *message, body io.Reader) (answered bool, err error) {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var data []byte
	for lines.Scan() {
		if text, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok {
			data = append(append(data, bytes.TrimPrefix(text, []byte(" "))...), '\n')
			continue
		}
		if len(lines.Bytes()) == 0 && len(data) > 0 {
			answered = s.answer(m, data) || answered
			data = data[:0]
		}
	}
	return answered, lines.Err()
}

// answer writes one message of the endpoint and reports whether it answers m.
func (s *stdio) answer(m *message, data []byte) bool {
	var head struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Result struct {
			ProtocolVersion string `json:"protocolVersion"`
		} `json:"result"`
	}
	var flat bytes.Buffer
	if json.Compact(&flat, data) != nil {
		return false
	}
	// A batch's answer has no head and answers nobody by name.
	_ = json.Unmarshal(data, &head)
	if m.head.Method == "initialize" && head.Result.ProtocolVersion != "" {
		s.mu.Lock()
		s.version = head.Result.ProtocolVersion
		s.mu.Unlock()
	}
	s.write(flat.Bytes())
	return head.Method == "" && bytes.Equal(head.ID, m.head.ID)
}

// write puts one line out. Standard output that is gone ends the program's
// standard input too, and with it the shim.
func (s *stdio) write(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(append(b, '\n'))
}
