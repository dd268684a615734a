package agents

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"groove/internal/groove"
)

// Sessions returns the sessions of an agent, the oldest first. Fails with
// KindAgentUnknown and the store's kinds.
func (e *Engine) Sessions(ctx context.Context, name groove.AgentName) ([]groove.AgentSession, error) {
	out, _, err := e.sessions(ctx, name)
	return out, err
}

// SessionFile returns a session with the file of what was said in it. n counts from 1, 0
// is the newest. Fails with KindAgentUnknown, KindInvalid (there is no such session) and
// the store's kinds. The file may be gone.
func (e *Engine) SessionFile(ctx context.Context, name groove.AgentName, n int) (groove.AgentSession, string, error) {
	all, files, err := e.sessions(ctx, name)
	if err != nil {
		return groove.AgentSession{}, "", err
	}
	if n == 0 {
		n = len(all)
	}
	if n < 1 || n > len(all) {
		return groove.AgentSession{}, "", groove.Errorf("find session", groove.KindInvalid, "%s has %d sessions", name, len(all)).WithFix("groove sessions " + string(name))
	}
	return all[n-1], files[n-1], nil
}

func (e *Engine) sessions(ctx context.Context, name groove.AgentName) (all []groove.AgentSession, files []string, err error) {
	const op = "list sessions"
	a := e.find(name)
	if a == nil {
		return nil, nil, unknown(op, string(name))
	}
	if a.kept.Load() == nil {
		return []groove.AgentSession{}, nil, nil // its row is being written
	}
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT s.pk, s.program_session, s.opened_at, s.closed_at, s.closed_why, s.context_used, s.context_size, s.brief,
		(SELECT count(*) FROM turn t WHERE t.session=s.pk) FROM session s WHERE s.agent=? ORDER BY s.pk`, a.pk)
	if err != nil {
		return nil, nil, groove.Wrap(op, groove.KindInternal, err)
	}
	defer rows.Close()
	all = []groove.AgentSession{}
	offset := int64(0)
	for rows.Next() {
		var pk, opened int64
		var closed *int64
		s := groove.AgentSession{N: len(all) + 1, Offset: offset}
		if err := rows.Scan(&pk, &s.ID, &opened, &closed, &s.Why, &s.ContextUsed, &s.ContextSize, &s.Brief, &s.Turns); err != nil {
			return nil, nil, groove.Wrap(op, groove.KindInternal, err)
		}
		s.Opened = groove.At(time.UnixMilli(opened))
		if closed != nil {
			at := groove.At(time.UnixMilli(*closed))
			s.Closed = &at
		}
		file := a.out.path(pk)
		info, err := os.Stat(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, groove.Wrap(op, groove.KindInternal, err)
		}
		if err == nil {
			s.Bytes = info.Size()
		}
		offset += s.Bytes
		all, files = append(all, s), append(files, file)
	}
	return all, files, groove.Wrap(op, groove.KindInternal, rows.Err())
}
