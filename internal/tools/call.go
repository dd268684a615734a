package tools

import (
	"context"
	"net/http"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"groove/internal/groove"
)

// callKey is where a request's call lies in its token info: the SDK hands that,
// and not the request's context, to the tools.
const callKey = "call"

type callContext struct{}

// call is one HTTP request: who asks, and which letters its answer shows.
type call struct {
	agent groove.AgentName
	http  context.Context // ends when the client has gone
	req   *mcp.CallToolRequest
	shown *shown
}

// shown collects what a request's answers show; a batch has several tools.
type shown struct {
	mu    sync.Mutex
	agent groove.AgentName
	upTo  int64
}

func (s *shown) add(agent groove.AgentName, pos int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent, s.upTo = agent, max(s.upTo, pos)
}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callContext{}).(*call)
	return c
}

// callIn finds the call of a tool's request.
func callIn(req *mcp.CallToolRequest) (*call, bool) {
	if req.Extra == nil || req.Extra.TokenInfo == nil || req.Extra.TokenInfo.UserID == "" {
		return nil, false
	}
	c, ok := req.Extra.TokenInfo.Extra[callKey].(*call)
	if !ok || c == nil {
		return nil, false
	}
	return &call{agent: groove.AgentName(req.Extra.TokenInfo.UserID), http: c.http, shown: c.shown}, true
}

func (c *call) with(req *mcp.CallToolRequest) *call { c.req = req; return c }

// bind ends ctx also when the HTTP client has gone: the SDK detaches the two for
// older versions of MCP.
func (c *call) bind(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.http, cancel)
	return ctx, func() { stop(); cancel() }
}

// delivering reports what an answer showed once that answer was written whole to
// a client that is still there. A broken answer is shown again by the next call.
func (s *server) delivering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &shown{}
		out := &watched{ResponseWriter: w}
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), callContext{}, &call{http: r.Context(), shown: seen})))
		if seen.upTo == 0 || !out.whole() || r.Context().Err() != nil {
			return
		}
		// The client has the letters: that it hangs up now changes nothing.
		if err := s.desk.Delivered(context.WithoutCancel(r.Context()), seen.agent, seen.upTo); err != nil {
			s.log.Error("delivery by tool not recorded", "agent", seen.agent, "err", err)
		}
	})
}

// watched notes whether any write of an answer failed.
type watched struct {
	http.ResponseWriter
	mu     sync.Mutex
	failed bool
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.note(err)
	return n, err
}

// Flush sends what is buffered; the SDK calls it after each event.
func (w *watched) Flush() { w.note(http.NewResponseController(w.ResponseWriter).Flush()) }

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watched) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = true
}

func (w *watched) whole() bool {
	w.Flush()
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.failed
}
