package mailbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"groove/internal/groove"
)

// Filter picks messages of the history. Zero members pick all.
type Filter struct {
	Job   groove.JobID
	Agent groove.AgentName // sender or receiver
	To    groove.AgentName // receiver here: received messages only
	ID    groove.MessageID
	Waits bool // only what an agent of this daemon has yet to be given; with To
	Limit int  // the newest that many; 0 = 100, at most 1,000
	// Before is a page that was had: only what is older.
	Before Place
}

// Place is where a page of the history begins: the positions of its oldest messages sent
// and received. 0 is the end.
type Place struct{ Out, In int64 }

const outHistory = `SELECT o.pos, o.leg, o.id, o.from_agent, o.to_agent, o.state, o.kind, 0, o.at, o.expires_at, b.reply_to, b.payload
	FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.type = 'message'`
const inHistory = `SELECT i.pos, i.leg, i.id, i.from_agent, i.to_agent, i.state, '', i.may_repeat, i.at, 0, i.reply_to, b.payload
	FROM inbox i JOIN inbox_body b ON b.pos = i.pos WHERE 1 = 1`

// History returns messages sent and received, oldest first.
func (m *Mailbox) History(ctx context.Context, f Filter) ([]groove.Mail, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 1000)
	var out []groove.Mail
	if f.To == "" {
		sent, err := m.history(ctx, outHistory, "o", f)
		if err != nil {
			return nil, err
		}
		out = sent
	}
	in, err := m.history(ctx, inHistory, "i", f)
	if err != nil {
		return nil, err
	}
	return newest(out, in, f.Limit), nil
}

// newest merges two lists, each in the order of its positions, from their ends: so that a
// page takes whole ends of both, and the page before it the rest.
func newest(out, in []groove.Mail, most int) []groove.Mail {
	all := make([]groove.Mail, 0, min(most, len(out)+len(in)))
	for len(all) < most && len(out)+len(in) > 0 {
		from := &out
		if len(out) == 0 || len(in) > 0 && !in[len(in)-1].At.Before(out[len(out)-1].At.Time) {
			from = &in
		}
		last := len(*from) - 1
		all = append(all, (*from)[last])
		*from = (*from)[:last]
	}
	slices.Reverse(all)
	return all
}

// Older is where the page of older messages ends: before those of this one.
func (p Place) Older(mails []groove.Mail) Place {
	for i := range mails {
		at := &p.In
		if mails[i].Direction == "out" {
			at = &p.Out
		}
		if *at == 0 || mails[i].Pos < *at {
			*at = mails[i].Pos
		}
	}
	return p
}

func (m *Mailbox) history(ctx context.Context, query, t string, f Filter) ([]groove.Mail, error) {
	args := []any{}
	if f.Job != "" {
		legs := m.legsOf(f.Job)
		query += " AND " + t + ".leg IN (0" + strings.Repeat(",?", len(legs)) + ")"
		args = append(args, legs...)
	}
	if f.Agent != "" {
		query += " AND (" + t + ".from_agent = ? OR " + t + ".to_agent = ?)"
		args = append(args, string(f.Agent), string(f.Agent))
	}
	if f.To != "" {
		query += " AND " + t + ".to_agent = ?"
		args = append(args, string(f.To))
	}
	if f.Waits && t == "i" {
		query += " AND i.state IN ('stored', 'delivering')"
	}
	if !f.ID.IsZero() {
		query += " AND " + t + ".id = ?"
		args = append(args, f.ID[:])
	}
	before := f.Before.In
	if t == "o" {
		before = f.Before.Out
	}
	if before > 0 {
		query += " AND " + t + ".pos < ?"
		args = append(args, before)
	}
	out, legs, err := m.readMails(ctx, t == "o", query+" ORDER BY "+t+".pos DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, groove.Wrap("read history", groove.KindInternal, err)
	}
	for i := range out {
		m.complete(&out[i], legs[i])
	}
	slices.Reverse(out) // the newest were asked for; many share a millisecond
	return out, nil
}

// readMails reads what the store knows of each message, and its leg. Nothing else is asked
// meanwhile: others hold their locks while they wait for one of the few read connections.
func (m *Mailbox) readMails(ctx context.Context, out bool, query string, args ...any) (mails []groove.Mail, legs []sql.NullInt64, err error) {
	rows, err := m.Options.Store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		mail, leg, err := readMail(rows, out)
		if err != nil {
			return nil, nil, err
		}
		mails, legs = append(mails, mail), append(legs, leg)
	}
	return mails, legs, rows.Err()
}

// complete adds what the rooms know of a message.
func (m *Mailbox) complete(mail *groove.Mail, leg sql.NullInt64) {
	if mail.Direction == "out" && mail.State == string(groove.OutQueued) {
		m.waiting(mail, leg.Int64)
	}
	if !leg.Valid {
		mail.Direction = "local"
	} else if p := m.post(leg.Int64); p != nil {
		mail.Job = p.job
		mail.Peer, mail.PeerName = m.PeerName(p.peer)
	}
}

// waiting says of a queued message that it has gone over the open connection, or
// why it has not.
func (m *Mailbox) waiting(mail *groove.Mail, leg int64) {
	if f := m.feed(leg); f != nil && f.gone(mail.Pos, mail.From, mail.To) {
		mail.State = string(groove.OutSent)
	} else if m.Waits != nil {
		mail.Note = m.Waits(leg)
	}
}

func (m *Mailbox) legsOf(job groove.JobID) []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []any
	for pk, p := range m.legs {
		if p.job == job {
			out = append(out, pk)
		}
	}
	return out
}

func readMail(rows *sql.Rows, out bool) (mail groove.Mail, leg sql.NullInt64, err error) {
	var id, reply, payload []byte
	var at, expires int64
	err = rows.Scan(&mail.Pos, &leg, &id, &mail.From, &mail.To, &mail.State, &mail.Kind, &mail.MayRepeat, &at, &expires, &reply, &payload)
	if err != nil {
		return mail, leg, err
	}
	mail.ID, mail.At, mail.Direction = groove.MessageID(id), groove.At(time.UnixMilli(at)), "in"
	if reply != nil {
		mail.ReplyTo = groove.MessageID(reply)
	}
	if out {
		mail.Direction = "out"
		t := groove.At(time.UnixMilli(expires))
		mail.Expires = &t
	}
	var msg groove.Message
	err = json.Unmarshal(payload, &msg)
	mail.Text, mail.Files = msg.Text, msg.Attachments
	return mail, leg, err
}

// Backlog counts what waits on a leg.
func (m *Mailbox) Backlog(ctx context.Context, leg int64) (groove.Backlog, error) {
	var b groove.Backlog
	err := m.Options.Store.Read().QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(b.payload)), 0)
		FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.leg = ? AND o.state = 'queued'`, leg).Scan(&b.Messages, &b.Bytes)
	return b, groove.Wrap("count backlog", groove.KindInternal, err)
}

// Queued counts the messages of a leg that have no receipt yet.
func (m *Mailbox) Queued(ctx context.Context, leg int64) (n int64, err error) {
	err = m.Options.Store.Read().QueryRowContext(ctx, "SELECT count(*) FROM outbox WHERE leg = ? AND state = 'queued' AND type = 'message'", leg).Scan(&n)
	return n, groove.Wrap("count messages", groove.KindInternal, err)
}
