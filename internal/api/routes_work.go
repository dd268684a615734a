package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"groove/internal/groove"
)

// Work is what agents' turns took, and what bounds them.
type Work interface {
	// Usage sums what turns took. It fails with payload.invalid.
	Usage(ctx context.Context, f groove.UsageFilter) ([]groove.UsageRow, error)
	// Series tells what turns took over a time. It fails with payload.invalid.
	Series(ctx context.Context, f groove.SeriesFilter) (groove.UsageSeries, error)
	// SetBudget changes the bounds that r names, and returns the agent.
	SetBudget(ctx context.Context, ref string, r BudgetRequest) (groove.Agent, error)
	// Rotate asks for a new session with a brief of the old one. It fails with state.conflict.
	Rotate(ctx context.Context, ref string) (groove.Agent, error)
}

// History is what was said in agents' sessions.
type History interface {
	Sessions(ctx context.Context, ref string) ([]groove.AgentSession, error)
	// Transcript returns what writes one. It fails with payload.invalid where there is no
	// such session.
	Transcript(ctx context.Context, ref string, r TranscriptRequest) (func(io.Writer) error, error)
	// Search returns places after the cursor, "" = from the newest session on, and the
	// cursor to go on from, "" at the end.
	Search(ctx context.Context, r SearchRequest) (found []groove.Found, next string, err error)
}

// BudgetRequest changes an agent's budget. Members left out stay as they are; 0 is no bound.
type BudgetRequest struct {
	Tokens *int64   `json:"tokens,omitempty" minimum:"0"`
	Cost   *float64 `json:"cost,omitempty" minimum:"0" doc:"in the currency that the program reports"`
	Turns  *int64   `json:"turns,omitempty" minimum:"0"`
}

// TranscriptRequest says which session is written, and how.
type TranscriptRequest struct {
	N        int    // 0 = the newest
	Format   string // md, json
	Thoughts bool
}

// SearchRequest says what is looked for.
type SearchRequest struct {
	Text  string
	Agent string // name or unique prefix, "" = all
	Limit int
	After string // a cursor
}

func (h *Handler) workRoutes() {
	b := h.backend
	type usageIn struct {
		By    string `query:"by" default:"agent" enum:"agent,team,job,day,program"`
		Agent string `query:"agent" maxLength:"63"`
		Team  string `query:"team" maxLength:"64"`
		Job   string `query:"job" maxLength:"64"`
		Since string `query:"since" maxLength:"40" doc:"RFC 3339; turns that began at it or later"`
	}
	add(h, Route{"usage", http.MethodGet, "/api/usage", UserAgent, "What turns took, as the agents' programs reported it. Agents: their own.", 0},
		func(ctx context.Context, in *usageIn) (*body[[]groove.UsageRow], error) {
			f := groove.UsageFilter{By: groove.UsageBy(in.By), Agent: groove.AgentName(in.Agent), Team: in.Team, Job: groove.JobID(in.Job)}
			if in.Since != "" {
				at, err := time.Parse(time.RFC3339, in.Since)
				if err != nil {
					return nil, groove.Errorf("sum usage", groove.KindInvalid, "since is not a time of RFC 3339")
				}
				f.Since = groove.At(at)
			}
			if caller := callerFrom(ctx); caller != groove.User {
				f.Agent = caller
			}
			return list(b.Work.Usage(ctx, f))
		})
	type nameIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
	}
	type budgetIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Body BudgetRequest
	}
	add(h, Route{"setBudget", http.MethodPost, "/api/agents/{name}/budget", UserOnly, "Bound what an agent may take. One that is paused goes on when its budget is not spent any more.", 0},
		func(ctx context.Context, in *budgetIn) (*body[groove.Agent], error) {
			return answer(b.Work.SetBudget(ctx, in.Name, in.Body))
		})
	add(h, Route{"rotate", http.MethodPost, "/api/agents/{name}/rotate", UserOnly, "Give an agent a new session that begins with a brief of the old one, after its running turn.", http.StatusAccepted},
		func(ctx context.Context, in *nameIn) (*body[groove.Agent], error) {
			return answer(b.Work.Rotate(ctx, in.Name))
		})
	h.usageRoutes()
	h.historyRoutes()
}

// discreet leaves out what another agent took and may take, for a caller that is an agent.
func discreet(ctx context.Context, a *groove.Agent) {
	if caller := callerFrom(ctx); caller != groove.User && caller != a.Name {
		a.Used, a.Budget = nil, nil
	}
}

func (h *Handler) historyRoutes() {
	b := h.backend
	type sessionsIn struct {
		Paging
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
	}
	add(h, Route{"sessions", http.MethodGet, "/api/agents/{name}/sessions", UserOnly, "An agent's sessions, the oldest first.", 0},
		func(ctx context.Context, in *sessionsIn) (*page[groove.AgentSession], error) {
			all, err := b.History.Sessions(ctx, in.Name)
			return paged(all, err, in.Paging, func(s *groove.AgentSession) string { return strconv.Itoa(s.N) })
		})
	type transcriptIn struct {
		Name     string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		N        int    `path:"n" minimum:"0" doc:"counts the agent's sessions from 1; 0 = the newest"`
		Format   string `query:"format" default:"md" enum:"md,json"`
		Thoughts bool   `query:"thoughts" doc:"with the agent's thoughts"`
	}
	add(h, Route{"transcript", http.MethodGet, transcriptPath, UserOnly, "A session as a conversation: Markdown, or JSON.", 0},
		func(ctx context.Context, in *transcriptIn) (*huma.StreamResponse, error) {
			write, err := b.History.Transcript(ctx, in.Name, TranscriptRequest{N: in.N, Format: in.Format, Thoughts: in.Thoughts})
			if err != nil {
				return nil, err
			}
			return h.streamed("transcript", transcriptTypes[in.Format], write), nil
		})
	h.api.OpenAPI().Paths[transcriptPath].Get.Responses["200"] = textOrObject()
	type searchIn struct {
		Text  string `query:"q" required:"true" minLength:"2" maxLength:"200" doc:"looked for whatever its case"`
		Agent string `query:"agent" maxLength:"63" doc:"name or unique prefix"`
		Limit int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
		After string `query:"after" maxLength:"200" doc:"next of the page before"`
	}
	add(h, Route{"search", http.MethodGet, "/api/search", UserOnly, "Where a text stands in what was said in sessions, the newest session first. A page may be empty and have a next one.", 0},
		func(ctx context.Context, in *searchIn) (*body[SearchPage], error) {
			found, next, err := b.History.Search(ctx, SearchRequest{Text: in.Text, Agent: in.Agent, Limit: in.Limit, After: in.After})
			return answer(SearchPage{Found: filled(found), Next: next}, err)
		})
}

// SearchPage is what was found.
type SearchPage struct {
	Found []groove.Found `json:"found"`
	Next  string         `json:"next,omitempty" doc:"goes into after; absent at the end"`
}

// streamed answers with what write writes, as it comes.
func (h *Handler) streamed(what, kind string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", kind)
		if err := write(out.BodyWriter()); err != nil { // its beginning is sent: the connection tells that it is not whole
			logFault(h.log, what, err)
			panic(http.ErrAbortHandler)
		}
	}}
}

// textOrObject describes an answer that is Markdown or JSON.
func textOrObject() *huma.Response {
	return &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"text/markdown": {Schema: &huma.Schema{Type: "string"}}, "application/json": {Schema: &huma.Schema{Type: "object"}}}}
}

const transcriptPath = "/api/agents/{name}/sessions/{n}/transcript"

var transcriptTypes = map[string]string{"md": "text/markdown; charset=utf-8", "json": "application/json"}
