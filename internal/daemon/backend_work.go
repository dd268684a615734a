package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/transcript"
)

// Usage is api.Work.
func (d *daemon) Usage(ctx context.Context, f groove.UsageFilter) ([]groove.UsageRow, error) {
	if err := d.usageOf(ctx, &f); err != nil {
		return nil, err
	}
	return d.agents.Usage(ctx, f)
}

// Series is api.Work.
func (d *daemon) Series(ctx context.Context, f groove.SeriesFilter) (groove.UsageSeries, error) {
	if err := d.usageOf(ctx, &f.UsageFilter); err != nil {
		return groove.UsageSeries{}, err
	}
	return d.agents.Series(ctx, f)
}

// usageOf finds what the filter names by prefixes.
func (d *daemon) usageOf(ctx context.Context, f *groove.UsageFilter) error {
	if f.Agent != "" {
		a, err := d.agents.Get(ctx, string(f.Agent))
		if err != nil {
			return err
		}
		f.Agent = a.Name
	}
	if f.Job != "" {
		job, err := d.bridge.Find(string(f.Job))
		if err != nil {
			return err
		}
		f.Job = job
	}
	return nil
}

// SetBudget is api.Work.
func (d *daemon) SetBudget(ctx context.Context, ref string, r api.BudgetRequest) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if err := d.agents.SetBudget(ctx, a.Name, changed(a.Budget, r)); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// changed is a budget with the bounds that r names.
func changed(now *groove.AgentBudget, r api.BudgetRequest) (b groove.AgentBudget) {
	if now != nil {
		b = *now
	}
	if r.Tokens != nil {
		b.Tokens = *r.Tokens
	}
	if r.Cost != nil {
		b.Cost = *r.Cost
	}
	if r.Turns != nil {
		b.Turns = *r.Turns
	}
	return b
}

// Rotate is api.Work.
func (d *daemon) Rotate(ctx context.Context, ref string) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if err := d.agents.Rotate(ctx, a.Name); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// Sessions is api.History.
func (d *daemon) Sessions(ctx context.Context, ref string) ([]groove.AgentSession, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	return d.agents.Sessions(ctx, a.Name)
}

// Transcript is api.History.
func (d *daemon) Transcript(ctx context.Context, ref string, r api.TranscriptRequest) (func(io.Writer) error, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	session, file, err := d.agents.SessionFile(ctx, a.Name, r.N)
	if err != nil {
		return nil, err
	}
	write := transcript.Markdown
	if r.Format == "json" {
		write = transcript.JSON
	}
	head := transcript.Head{Agent: a.Name, Program: a.Program, Session: session}
	return func(w io.Writer) error {
		return withFile(file, func(in io.Reader) error { return write(w, head, in, transcript.Options{Thoughts: r.Thoughts}) })
	}, nil
}

// withFile reads a session's file; one that somebody removed is empty.
func withFile(file string, read func(io.Reader) error) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return read(strings.NewReader(""))
	}
	if err != nil {
		return groove.Wrap("read session", groove.KindInternal, err)
	}
	return errors.Join(read(f), f.Close())
}

// searchBytes bounds what one page of a search reads: what is beyond is the next page's.
const searchBytes = 128 << 20

// Search is api.History. The cursor names an agent, a session, and the item in it.
func (d *daemon) Search(ctx context.Context, r api.SearchRequest) ([]groove.Found, string, error) {
	names, err := d.searched(ctx, r.Agent)
	if err != nil {
		return nil, "", err
	}
	s := search{d: d, r: r, found: []groove.Found{}}
	from, err := readCursor(r.After)
	if err != nil {
		return nil, "", err
	}
	for _, name := range names {
		if from.agent != "" && name < from.agent {
			continue
		}
		if err := s.agent(ctx, name, from); err != nil || s.next != "" {
			return s.found, s.next, err
		}
	}
	return s.found, "", nil
}

func (d *daemon) searched(ctx context.Context, ref string) ([]groove.AgentName, error) {
	if ref != "" {
		a, err := d.agents.Get(ctx, ref)
		return []groove.AgentName{a.Name}, err
	}
	all, err := d.agents.List(ctx)
	names := make([]groove.AgentName, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return names, err
}

// cursor is the last item that a page has looked at.
type cursor struct {
	agent   groove.AgentName
	session int
	item    int
}

func (c cursor) String() string { return fmt.Sprintf("%s.%d.%d", c.agent, c.session, c.item) }

func readCursor(s string) (c cursor, err error) {
	if s == "" {
		return c, nil
	}
	parts := strings.Split(s, ".") // a name may have dots
	if len(parts) >= 3 {
		c.agent = groove.AgentName(strings.Join(parts[:len(parts)-2], "."))
		c.session, err = strconv.Atoi(parts[len(parts)-2])
		if err == nil {
			c.item, err = strconv.Atoi(parts[len(parts)-1])
		}
	}
	if err != nil || len(parts) < 3 {
		return c, groove.Errorf("search", groove.KindInvalid, "after is not of a page before").WithFix("begin at the first page")
	}
	return c, nil
}

// search is one page under way.
type search struct {
	d     *daemon
	r     api.SearchRequest
	found []groove.Found
	read  int64
	next  string
}

// agent looks through the sessions of one agent, the newest first.
func (s *search) agent(ctx context.Context, name groove.AgentName, from cursor) error {
	sessions, err := s.d.agents.Sessions(ctx, name)
	if err != nil {
		return err
	}
	for _, session := range slices.Backward(sessions) {
		after := 0
		if name == from.agent && session.N > from.session {
			continue
		} else if name == from.agent && session.N == from.session {
			after = from.item
		}
		if s.read > searchBytes {
			s.next = cursor{name, session.N, after}.String()
			return nil
		}
		if err := s.session(ctx, name, session.N, after); err != nil || s.next != "" {
			return err
		}
		s.read += session.Bytes
	}
	return nil
}

func (s *search) session(ctx context.Context, name groove.AgentName, n, after int) error {
	_, file, err := s.d.agents.SessionFile(ctx, name, n)
	if err != nil {
		return err
	}
	return withFile(file, func(in io.Reader) error {
		return transcript.Search(in, s.r.Text, after, func(i *transcript.Item, f groove.Found) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f.Agent, f.Session = name, n
			s.found = append(s.found, f)
			if len(s.found) == s.r.Limit {
				s.next = cursor{name, n, i.N}.String()
				return transcript.ErrEnough
			}
			return nil
		})
	})
}
