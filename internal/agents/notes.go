package agents

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"

	"groove/internal/groove"
	"groove/internal/store"
)

// notesMax bounds what of its notes an agent is shown in one turn; the oldest go first.
const notesMax = 16 << 10

// notesKept bounds what a program can have groove write by asking for what is denied.
const notesKept = 64

// Note leaves a text of groove's own for an agent: it stands before the agent's next
// turn, and again before the one after if that turn never started. It wakes nobody. Of
// an agent that there is not, or that has ended, nothing is kept; nor is what it is to be told
// already, nor more than notesKept.
func (e *Engine) Note(tx *store.Tx, name groove.AgentName, text string) error {
	a := e.find(name)
	if a == nil || a.ended() {
		return nil
	}
	_, err := tx.Exec("INSERT INTO agent_note(agent, text, at) SELECT ?,?,? WHERE NOT EXISTS(SELECT 1 FROM agent_note WHERE agent=? AND text=?) AND (SELECT count(*) FROM agent_note WHERE agent=?) < ?",
		a.pk, text, e.o.Clock().UnixMilli(), a.pk, text, a.pk, notesKept)
	return err
}

func (a *agent) ended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.End != ""
}

// prelude is what groove itself says before a turn's letters.
type prelude struct {
	text    string
	upTo    int64  // the newest note in it, 0 = none
	briefed []byte // hash of the briefing in it, nil = none
}

// prelude gathers the notes, and the briefing where this session was not told it.
func (r *runner) prelude(ctx context.Context, mark string) (prelude, error) {
	var p prelude
	var parts []string
	briefing, hash, err := r.briefing(ctx)
	if err != nil {
		return p, err
	}
	if briefing != "" {
		parts, p.briefed = append(parts, groove.FenceBriefing(mark, briefing)), hash
	}
	notes, upTo, err := r.notes(ctx)
	if err != nil {
		return p, err
	}
	p.text, p.upTo = strings.Join(append(parts, notes...), "\n\n"), upTo
	return p, nil
}

// briefing is what the agent is to know, "" where its session knows it already.
func (r *runner) briefing(ctx context.Context) (string, []byte, error) {
	if r.e.o.Brief == nil {
		return "", nil, nil
	}
	text := r.e.o.Brief(ctx, r.a.show())
	if text == "" {
		return "", nil, nil
	}
	var last []byte
	err := r.e.o.Store.Read().QueryRowContext(ctx, "SELECT briefed FROM session WHERE pk=?", r.session).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", nil, err
	}
	sum := sha256.Sum256([]byte(text))
	if bytes.Equal(last, sum[:]) {
		return "", nil, nil
	}
	return text, sum[:], nil
}

func (r *runner) notes(ctx context.Context) (texts []string, upTo int64, err error) {
	rows, err := r.e.o.Store.Read().QueryContext(ctx, "SELECT pk, text FROM agent_note WHERE agent=? ORDER BY pk", r.a.pk)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for size := 0; rows.Next() && size < notesMax; {
		var text string
		if err := rows.Scan(&upTo, &text); err != nil {
			return nil, 0, err
		}
		size += len(text)
		texts = append(texts, "(groove) "+text)
	}
	return texts, upTo, rows.Err()
}

// told records that the session has seen the prelude. It is part of the commit that
// says that the turn has started.
func (t *turn) told(tx *store.Tx) error {
	if t.said.upTo > 0 {
		if _, err := tx.Exec("DELETE FROM agent_note WHERE agent=? AND pk<=?", t.a.pk, t.said.upTo); err != nil {
			return err
		}
	}
	if t.said.briefed == nil {
		return nil
	}
	_, err := tx.Exec("UPDATE session SET briefed=? WHERE pk=?", t.said.briefed, t.session)
	return err
}
