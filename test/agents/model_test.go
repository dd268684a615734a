package agents_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"groove/test/harness"
	"groove/test/modelserver"
)

// held in a prompt makes the model think until its client goes away, the first time.
const held = "(think until I go away)"

// model is the scripted model with a memory of what it was shown.
type model struct {
	url     string
	holding chan struct{} // closed when a prompt is held

	mu   sync.Mutex
	held bool
	last []string // the user's side of the newest conversation that had tools
}

func newModel(t *testing.T) *model {
	t.Helper()
	m := &model{holding: make(chan struct{})}
	script := modelserver.New(slog.New(slog.NewTextHandler(t.Output(), nil)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if m.remember(body) {
			close(m.holding)
			<-r.Context().Done()
			return
		}
		script.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// message is one message of a conversation, in each dialect that the programs here speak.
type message struct {
	Role    string `json:"role"`
	Content any    `json:"content"`
}

// remember keeps a conversation, and reports whether its newest prompt is to be
// held. Requests without tools are the program's own, for titles and the like.
func (m *model) remember(body []byte) (hold bool) {
	var r struct {
		Tools    []any           `json:"tools"`
		Messages []message       `json:"messages"`
		Input    json.RawMessage `json:"input"` // of the responses dialect; may be a text
	}
	if json.Unmarshal(body, &r) != nil || len(r.Tools) == 0 {
		return false
	}
	if r.Messages == nil && json.Unmarshal(r.Input, &r.Messages) != nil {
		return false
	}
	var said []string
	for _, message := range r.Messages {
		if message.Role == "user" {
			said = append(said, texts(message.Content))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = said
	hold = !m.held && len(said) > 0 && strings.Contains(said[len(said)-1], held)
	m.held = m.held || hold
	return hold
}

// texts joins all strings of a message's content, which is a string or a list of parts.
func texts(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		all := ""
		for _, part := range v {
			all += texts(part) + "\n"
		}
		return all
	case map[string]any:
		return texts(v["text"])
	}
	return ""
}

// waitHeld waits until a prompt is held.
func (m *model) waitHeld(t *testing.T) {
	t.Helper()
	select {
	case <-m.holding:
	case <-time.After(harness.Patience):
		t.Fatalf("no prompt with %q reached the model", held)
	}
}

// shown counts how often the newest conversation has text on the user's side.
func (m *model) shown(text string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Count(strings.Join(m.last, "\n"), text)
}
