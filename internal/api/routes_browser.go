package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

const (
	sessionPath = "/api/session"
	eventsPath  = "/api/events"
)

// browserRoutes are the browser's way in (docs/security.md): a code, made by who is the
// user already, is traded once for a bearer; the bearer is traded for tickets where a page
// cannot send it.
func (h *Handler) browserRoutes() {
	add(h, Route{"open", http.MethodPost, "/api/open", UserOnly, "Make a code that lets one browser in, once, within 30 seconds.", http.StatusCreated},
		func(context.Context, *none) (*body[OpenCode], error) {
			code, ends := h.keys.draw(&h.keys.codes, codeTime)
			return answer(OpenCode{URL: "http://" + h.tcp + "/#code=" + code, Address: "http://" + h.tcp + "/", Code: code, Expires: groove.At(ends)}, nil)
		})
	type codeIn struct{ Body SessionRequest }
	add(h, Route{"session", http.MethodPost, sessionPath, Holder, "Trade a code for the bearer of a browser.", http.StatusCreated},
		func(_ context.Context, in *codeIn) (*body[Session], error) {
			if !h.keys.spend(&h.keys.codes, in.Body.Code) {
				return nil, refused(groove.KindNoToken, "open: the code was used, is older than 30 seconds or was never given", "groove open")
			}
			bearer, ends := h.keys.draw(&h.keys.sessions, sessionIdle)
			return answer(Session{Token: bearer, Expires: groove.At(ends)}, nil)
		})
	type endIn struct {
		Authorization string `header:"Authorization"`
	}
	add(h, Route{"endSession", http.MethodDelete, sessionPath, UserOnly, "Sign this browser out; on the socket, every browser.", http.StatusNoContent},
		func(_ context.Context, in *endIn) (*none, error) {
			bearer := bearerOf(in.Authorization)
			h.keys.end(bearer)
			if bearer == "" {
				h.watched.signOut()
			}
			return nil, nil
		})
	add(h, Route{"ticket", http.MethodPost, "/api/tickets", UserOnly, "Make a ticket for one GET /api/events, within 30 seconds: a page cannot send a bearer there.", http.StatusCreated},
		func(context.Context, *none) (*body[Ticket], error) {
			ticket, ends := h.keys.draw(&h.keys.tickets, ticketTime)
			return answer(Ticket{Ticket: ticket, Expires: groove.At(ends)}, nil)
		})
	add(h, Route{"snapshot", http.MethodGet, "/api/snapshot", UserOnly, "All that a view shows, and the number to go on from in GET /api/events.", 0},
		func(ctx context.Context, _ *none) (*body[Snapshot], error) {
			return answer(h.snapshot(ctx))
		})
}

// snapshot reads the state after the number that it gives: what changes meanwhile is told
// again.
func (h *Handler) snapshot(ctx context.Context) (Snapshot, error) {
	b := h.backend
	s := Snapshot{Next: b.Events.Now()}
	var err error
	if s.Status, err = b.Host.Status(ctx); err != nil {
		return s, err
	}
	if s.Status.Problems == nil {
		s.Status.Problems = []Trouble{}
	}
	if s.Agents, err = b.Agents.ListAgents(ctx); err != nil {
		return s, err
	}
	if s.RemoteAgents, err = b.Agents.RemoteAgents(ctx, ""); err != nil {
		return s, err
	}
	if s.Jobs, err = b.Bridge.Jobs(ctx); err != nil {
		return s, err
	}
	if s.Peers, err = b.Federation.Peers(ctx); err != nil {
		return s, err
	}
	if s.Pairings, err = b.Federation.Pairings(ctx); err != nil {
		return s, err
	}
	if s.Approvals, err = b.Approvals.ListApprovals(ctx, false, "", 1000); err != nil {
		return s, err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel() // what is there, at once
	last, err := b.Mailbox.Messages(ended, MessageFilter{Limit: 100})
	s.Messages = last.Messages
	s.fill()
	return s, err
}

// fill leaves no list null.
func (s *Snapshot) fill() {
	s.Agents, s.RemoteAgents, s.Jobs = filled(s.Agents), filled(s.RemoteAgents), filled(s.Jobs)
	s.Peers, s.Pairings, s.Approvals, s.Messages = filled(s.Peers), filled(s.Pairings), filled(s.Approvals), filled(s.Messages)
}

func filled[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
