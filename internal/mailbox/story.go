package mailbox

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"groove/internal/groove"
)

// storyPage is how many messages of a direction are held at once.
const storyPage = 500

// Story hands over the messages that a job has by now, oldest first, some hundreds at a time: each
// holds its piece until it returns.
func (m *Mailbox) Story(ctx context.Context, job groove.JobID, each func([]groove.Mail) error) error {
	out, in := pageReader{m: m, query: outHistory, t: "o", job: job}, pageReader{m: m, query: inHistory, t: "i", job: job}
	const ends = "SELECT (SELECT coalesce(max(pos), 0) FROM outbox), (SELECT coalesce(max(pos), 0) FROM inbox)"
	if err := m.Options.Store.Read().QueryRowContext(ctx, ends).Scan(&out.last, &in.last); err != nil {
		return groove.Wrap("read history", groove.KindInternal, err)
	}
	for {
		if err := out.fill(ctx); err != nil {
			return err
		}
		if err := in.fill(ctx); err != nil {
			return err
		}
		piece := oldest(&out, &in)
		if len(piece) == 0 {
			return nil
		}
		if err := each(piece); err != nil {
			return err
		}
	}
}

// pageReader reads one direction upwards.
type pageReader struct {
	m     *Mailbox
	query string
	t     string
	job   groove.JobID
	after int64
	last  int64 // position: who writes on does not keep the reader
	have  []groove.Mail
	end   bool
}

func (r *pageReader) fill(ctx context.Context) error {
	if len(r.have) > 0 || r.end {
		return nil
	}
	legs := r.m.legsOf(r.job)
	query := r.query + " AND " + r.t + ".leg IN (0" + strings.Repeat(",?", len(legs)) + ") AND " + r.t + ".pos > ? AND " + r.t + ".pos <= ? ORDER BY " + r.t + ".pos LIMIT ?"
	mails, of, err := r.m.readMails(ctx, r.t == "o", query, append(legs, r.after, r.last, storyPage)...)
	if err != nil {
		return groove.Wrap("read history", groove.KindInternal, err)
	}
	for i := range mails {
		r.m.complete(&mails[i], of[i])
		r.after = mails[i].Pos
	}
	r.have, r.end = mails, len(mails) < storyPage
	return nil
}

// oldest merges what both have, up to where one of them has to read on.
func oldest(out, in *pageReader) []groove.Mail {
	var merged []groove.Mail
	for (len(out.have) > 0 || out.end) && (len(in.have) > 0 || in.end) && len(out.have)+len(in.have) > 0 {
		from := out
		if len(out.have) == 0 || len(in.have) > 0 && in.have[0].At.Before(out.have[0].At.Time) {
			from = in
		}
		merged = append(merged, from.have[0])
		from.have = from.have[1:]
	}
	return merged
}

// Tally counts the messages of one leg by what became of them.
type Tally struct {
	Sent, Received int64 // as Crossed counts them
	Waiting        int64 // beside sent: no receipt has come
	Refused        int64 // of sent: by the peer
	RefusedHere    int64
}

// Tally counts what crossed on a leg.
func (m *Mailbox) Tally(ctx context.Context, leg int64) (c Tally, err error) {
	const query = `SELECT coalesce(sum(state NOT IN ('queued', 'cancelled', 'expired')), 0), coalesce(sum(state = 'queued'), 0), coalesce(sum(state = 'refused'), 0),
		(SELECT count(*) FROM inbox WHERE leg = ?1), (SELECT count(*) FROM seen WHERE leg = ?1 AND kind <> '')
		FROM outbox WHERE leg = ?1 AND type = 'message'`
	err = m.Options.Store.Read().QueryRowContext(ctx, query, leg).Scan(&c.Sent, &c.Waiting, &c.Refused, &c.Received, &c.RefusedHere)
	return c, groove.Wrap("count messages", groove.KindInternal, err)
}

// Answers are how long the peer's answers to the last messages of a leg took: from the commit of
// the one to that of the other, both here.
func (m *Mailbox) Answers(ctx context.Context, leg, peer int64, most int) ([]time.Duration, error) {
	const query = `SELECT s.at - o.at FROM outbox o JOIN outbox_body b ON b.pos = o.pos JOIN seen s ON s.peer_pk = ? AND s.id = b.answered_by
		WHERE o.leg = ? AND o.type = 'message' ORDER BY o.pos DESC LIMIT ?`
	rows, err := m.Options.Store.Read().QueryContext(ctx, query, peer, leg, most)
	if err != nil {
		return nil, groove.Wrap("read answers", groove.KindInternal, err)
	}
	defer rows.Close()
	var out []time.Duration
	for rows.Next() {
		var ms int64
		if err := rows.Scan(&ms); err != nil {
			return nil, groove.Wrap("read answers", groove.KindInternal, err)
		}
		out = append(out, time.Duration(ms)*time.Millisecond)
	}
	return out, groove.Wrap("read answers", groove.KindInternal, rows.Err())
}

// Sent are the last messages of a leg without their texts: when each was committed here.
func (m *Mailbox) Sent(ctx context.Context, leg int64, most int) (map[groove.MessageID]time.Time, error) {
	rows, err := m.Options.Store.Read().QueryContext(ctx, "SELECT id, at FROM outbox WHERE leg = ? AND type = 'message' ORDER BY pos DESC LIMIT ?", leg, most)
	if err != nil {
		return nil, groove.Wrap("read messages", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[groove.MessageID]time.Time{}
	for rows.Next() {
		var id []byte
		var ms int64
		if err := rows.Scan(&id, &ms); err != nil {
			return nil, groove.Wrap("read messages", groove.KindInternal, err)
		}
		out[groove.MessageID(id)] = time.UnixMilli(ms)
	}
	return out, groove.Wrap("read messages", groove.KindInternal, rows.Err())
}

// Answered adds to messages that were sent when their answers came: that stays when the times of
// other steps are forgotten.
func (m *Mailbox) Answered(ctx context.Context, mails []groove.Mail) error {
	const query = `SELECT s.at FROM outbox_body b JOIN outbox o ON o.pos = b.pos JOIN leg l ON l.pk = o.leg JOIN seen s ON s.peer_pk = l.peer_pk AND s.id = b.answered_by WHERE b.pos = ?`
	for i := range mails {
		mail := &mails[i]
		answered := func(s groove.MailStep) bool { return s.State == string(groove.OutAnswered) }
		if mail.Direction != "out" || mail.State != string(groove.OutAnswered) || slices.ContainsFunc(mail.Steps, answered) {
			continue
		}
		var at int64
		err := m.Options.Store.Read().QueryRowContext(ctx, query, mail.Pos).Scan(&at)
		switch {
		case err == sql.ErrNoRows:
			continue
		case err != nil:
			return groove.Wrap("read answers", groove.KindInternal, err)
		}
		mail.Steps = append(mail.Steps, groove.MailStep{State: string(groove.OutAnswered), At: groove.At(time.UnixMilli(at))})
	}
	return nil
}

// Saying are the jobs in whose messages a text stands, whatever the case of its ASCII letters.
func (m *Mailbox) Saying(ctx context.Context, text string) (map[groove.JobID]bool, error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
	const query = `SELECT DISTINCT o.leg FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.type = 'message' AND json_extract(CAST(b.payload AS TEXT), '$.text') LIKE ?1 ESCAPE '\'
		UNION SELECT DISTINCT i.leg FROM inbox i JOIN inbox_body b ON b.pos = i.pos WHERE i.leg IS NOT NULL AND json_extract(CAST(b.payload AS TEXT), '$.text') LIKE ?1 ESCAPE '\'`
	rows, err := m.Options.Store.Read().QueryContext(ctx, query, like)
	if err != nil {
		return nil, groove.Wrap("search messages", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[groove.JobID]bool{}
	var legs []int64
	for rows.Next() {
		var leg int64
		if err := rows.Scan(&leg); err != nil {
			return nil, groove.Wrap("search messages", groove.KindInternal, err)
		}
		legs = append(legs, leg)
	}
	for _, leg := range legs {
		if p := m.post(leg); p != nil {
			out[p.job] = true
		}
	}
	return out, groove.Wrap("search messages", groove.KindInternal, rows.Err())
}
