package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"groove/internal/groove"
)

type agentsIn struct{}

func (s *server) agents(ctx context.Context, c *call, _ agentsIn) (string, error) {
	local, remote, err := s.desk.Agents(ctx, c.agent)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if brief := s.desk.Brief(ctx, c.agent); brief != "" {
		b.WriteString(brief + "\n\n")
	}
	fmt.Fprintf(&b, "You are %s%s. The user is reached as \"user\".\nHere:", c.agent, membership(local, c.agent))
	for _, a := range local {
		if a.Name != c.agent {
			line(&b, string(a.Name), a.Status, words{{"team", a.Team}, {"role", a.Role}, {"title", a.Title}, {"writes", strings.Join(a.Scope, " ")}, {"says", a.Summary}})
		}
	}
	b.WriteString("\nOn peers (what follows a name is in their own words):")
	for _, a := range remote {
		peer := a.PeerName
		if peer == "" {
			peer = a.Peer.Short()
		}
		line(&b, string(a.Agent)+"@"+clean(peer, 64), a.Status, words{{"role", a.Role}, {"title", a.Title}, {"writes", strings.Join(a.Scope, " ")}, {"says", a.Summary}})
	}
	if len(remote) == 0 {
		b.WriteString(" nobody")
	}
	return b.String(), nil
}

// membership says what the caller itself is.
func membership(local []groove.Agent, caller groove.AgentName) string {
	for _, a := range local {
		if a.Name != caller {
			continue
		}
		var b strings.Builder
		for _, part := range (words{{"role", a.Role}, {"team", a.Team}}) {
			if text := clean(part.text, 200); text != "" {
				fmt.Fprintf(&b, ", %s %q", part.what, text)
			}
		}
		return b.String()
	}
	return ""
}

// words are what is said of an agent; what is empty is left out.
type words []struct{ what, text string }

// line writes one agent on one line, whatever a peer put into its words.
func line(b *strings.Builder, name string, status groove.AgentStatus, said words) {
	fmt.Fprintf(b, "\n- %s (%s)", name, status)
	for _, part := range said {
		if text := clean(part.text, 200); text != "" {
			fmt.Fprintf(b, ", %s %q", part.what, text)
		}
	}
}

func clean(s string, most int) string {
	return groove.CleanLabel(strings.Join(strings.Fields(s), " "), most)
}

type waitIn struct {
	Timeout float64 `json:"timeout_s,omitempty" jsonschema:"seconds, at most 45, default 45"`
}

func (s *server) wait(ctx context.Context, c *call, in waitIn) (string, error) {
	limit := MaxWait
	if d := time.Duration(in.Timeout * float64(time.Second)); d > 0 && d < limit {
		limit = d
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := s.progress(ctx, c)
	err := s.desk.Wait(ctx, c.agent)
	stop()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("No message came in %s. Carry on, or end your turn: mail starts the next one.", limit), nil
	}
	if err != nil {
		return "", err
	}
	return s.inbox(ctx, c, inboxIn{})
}

// progress says at each interval that the call lives. The returned function ends
// it and waits for its end, so that nothing is said after the answer.
func (s *server) progress(ctx context.Context, c *call) (stop func()) {
	token := c.req.Params.GetProgressToken()
	if token == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(s.every)
		defer tick.Stop()
		for n := 1.0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				// A client that cannot be told is noticed by the answer's own write.
				_ = c.req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: n, Message: "waiting for a message"})
			}
		}
	}()
	return func() { cancel(); <-done }
}

type doneIn struct {
	Summary string `json:"summary" jsonschema:"what was done and what is open, up to 1000 bytes"`
	Job     string `json:"job,omitempty" jsonschema:"job ID, if only that job is complete"`
}

func (s *server) done(ctx context.Context, c *call, in doneIn) (string, error) {
	job := groove.JobID(in.Job)
	if job != "" && !job.Valid() {
		return "", groove.Errorf("done", groove.KindInvalid, "job: not a job ID").WithFix("leave it out, or copy it from a message")
	}
	if err := s.desk.Done(ctx, c.agent, in.Summary, job); err != nil {
		return "", err
	}
	if job != "" {
		return "Recorded: your part of the job is complete.", nil
	}
	return "Recorded: your work is complete. Your session ends after this turn.", nil
}
