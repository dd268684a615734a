package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"groove/internal/groove"
)

// attachRoute answers with a stream: while it is open the program is connected.
func (h *Handler) attachRoute() {
	type attachIn struct{ Body AttachRequest }
	add(h, Route{"attach", http.MethodPost, "/api/attach", UserOnly,
		"Connect a program of the user's own terminal as an attached agent. Answers one line of JSON, and stays open: the agent is connected until either side ends it. A last line says that the agent has ended.", 0},
		func(ctx context.Context, in *attachIn) (*huma.StreamResponse, error) {
			at, err := h.backend.Agents.Attach(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(ctx huma.Context) { h.attached(ctx, at) }}, nil
		})
	op := h.api.OpenAPI().Paths["/api/attach"].Post
	schemas := h.api.OpenAPI().Components.Schemas
	op.Responses["200"] = &huma.Response{Description: "JSON lines", Content: map[string]*huma.MediaType{
		"application/jsonl": {Schema: schemas.Schema(typeOf[AttachLine](), true, "AttachLine")}}}
}

// attached writes the lines and waits for the end of one of both.
func (h *Handler) attached(ctx huma.Context, at Attachment) {
	defer at.Release()
	h.streams.Add(1)
	defer h.streams.Done()
	r, w := humago.Unwrap(ctx)
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Cache-Control", "no-store")
	say := func(line AttachLine) bool {
		return json.NewEncoder(w).Encode(line) == nil && http.NewResponseController(w).Flush() == nil
	}
	if !say(AttachLine{Agent: at.Agent, Token: at.Token, MCPURL: at.MCPURL}) || at.Token == "" {
		return
	}
	select {
	case <-r.Context().Done():
	case <-h.ending:
	case <-at.Gone:
		say(AttachLine{Agent: at.Agent, Ended: true}) // who has hung up sees that by itself
	}
}

// AttachRequest names the agent that a program joins as.
type AttachRequest struct {
	Name    groove.AgentName `json:"name" minLength:"1" maxLength:"63"`
	Program string           `json:"program,omitempty" maxLength:"63" doc:"what it is, for people; mcp if not said"`
	Dir     string           `json:"dir" minLength:"1" doc:"where it works, absolute"`
	Scope   []string         `json:"scope,omitempty" maxItems:"20" doc:"globs that it may change"`
	Role    string           `json:"role,omitempty" maxLength:"64"`
	Title   string           `json:"title,omitempty" maxLength:"120"`
	Team    string           `json:"team,omitempty" maxLength:"64"`
	Task    string           `json:"task,omitempty" maxLength:"262144" doc:"first message, from the user"`
	Later   bool             `json:"later,omitempty" doc:"make the agent known; its program connects later: the stream ends after its first line, which has no token"`
}

// Attachment is a connected program. Release must follow.
type Attachment struct {
	Agent   groove.Agent
	Token   string // "" where nothing was connected
	MCPURL  string
	Gone    <-chan struct{} // closed when the agent has ended
	Release func()
}

// AttachLine is one line of the stream.
type AttachLine struct {
	Agent  groove.Agent `json:"agent"`
	Token  string       `json:"token,omitempty" doc:"the agent's bearer, good while the stream is open"`
	MCPURL string       `json:"mcpUrl,omitempty"`
	Ended  bool         `json:"ended,omitempty" doc:"the agent has ended: do not come back"`
}
