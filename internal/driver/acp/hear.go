package acp

import (
	"context"
	"encoding/json"
	"slices"

	"groove/internal/driver/jsonrpc"
	"groove/internal/groove"
)

// Notify hands on what the program says. It is the reader's: while the
// receiver of an update is busy, the program waits at its pipe.
func (s *session) Notify(method string, params json.RawMessage) {
	if method != "session/update" {
		return
	}
	session, u, err := decodeUpdate(params)
	if err != nil {
		s.log.Warn("program sent an update that cannot be read")
		return
	}
	if id := s.ID(); id != "" && session != id {
		return // of a session that the program opened for itself
	}
	u.Replay = s.replaying.Load()
	switch u.Kind {
	case groove.UpdateToolCall, groove.UpdateToolDone:
		s.calls.note(u.Raw, u.Kind == groove.UpdateToolDone)
	default:
		s.noteUsage(&u)
	}
	if s.l.Update != nil {
		s.l.Update(u)
	}
}

// noteUsage keeps what an update tells of usage, and shows it with the update.
func (s *session) noteUsage(u *groove.Update) {
	r := usageIn(u)
	if r == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !u.Replay && s.now != nil {
		s.now.usage = r.raw
	}
	s.spent.add(r.used)
	u.Used = &r.used
}

// Serve answers the program's questions. Files and terminals were not offered.
func (s *session) Serve(ctx context.Context, method string, params json.RawMessage) (any, *jsonrpc.Error) {
	if method != "session/request_permission" {
		return nil, jsonrpc.Errorf(jsonrpc.CodeMethodNotFound, "groove offers no %s", method)
	}
	q, err := s.calls.asked(params)
	if err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "%v", err)
	}
	choice := s.ask(ctx, q)
	if choice == "" {
		return outcome(map[string]string{"outcome": "cancelled"}), nil
	}
	return outcome(map[string]string{"outcome": "selected", "optionId": choice}), nil
}

func outcome(o map[string]string) any { return map[string]any{"outcome": o} }

// ask puts the question; it is cancelled with its turn. An answer that was not
// offered counts as none.
func (s *session) ask(ctx context.Context, q groove.PermissionAsk) string {
	if s.l.Ask == nil {
		return ""
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if t := s.current(); t != nil {
		defer context.AfterFunc(t.ctx, cancel)()
	}
	choice := s.l.Ask(ctx, q)
	if ctx.Err() != nil || !slices.ContainsFunc(q.Options, func(o groove.PermissionOption) bool { return o.ID == choice }) {
		return ""
	}
	return choice
}
