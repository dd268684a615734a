package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"groove/internal/agents"
	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/scope"
	"groove/internal/store"
	"groove/internal/worktree"
)

const (
	// breachKept is how many paths of a breach a question holds.
	breachKept = 200
	// breachShown is how many of them a line names.
	breachShown = 5
)

// breach is the detail of a question of kind scope.breach.
type breach struct {
	Agent groove.AgentName `json:"agent"`
	Scope []string         `json:"scope"`
	Paths []string         `json:"paths"`          // below dir as they count from there, others absolute
	More  int              `json:"more,omitempty"` // that are not listed
	Turns []int64          `json:"turns"`
}

// turnEnded has what a turn changed looked at. It does not wait: git takes tens of
// milliseconds, and a prompt may follow at once. The looks at one agent are in the order
// of its turns, for each begins at the commit that the one before it found.
func (d *daemon) turnEnded(ctx context.Context, end groove.TurnEnd) {
	over := make(chan struct{})
	before, waits := d.looks.Swap(end.Agent, over)
	d.run.Go(func() {
		defer d.looks.CompareAndDelete(end.Agent, over)
		defer close(over)
		if waits {
			<-before.(chan struct{})
		}
		d.look(ctx, end)
	})
}

// look finds what a turn changed outside its agent's scope. Programs that ask before they
// write were refused it then; others are found out here.
func (d *daemon) look(ctx context.Context, end groove.TurnEnd) {
	a, err := d.agents.Get(ctx, string(end.Agent))
	if err != nil || a.Attached {
		return
	}
	top, ok := worktree.Top(a.Dir)
	if !ok || len(a.Scope) == 0 && top == a.Dir {
		return // nothing of the repository is outside
	}
	s, err := scope.New(a.Dir, a.Scope)
	if err != nil {
		d.log.Warn("scope not read", "agent", a.Name, "kind", groove.KindOf(err), "err", err)
		return
	}
	head, _ := d.heads.Load(a.Name)
	since := worktree.Moment{At: end.Began}
	since.Head, _ = head.(string)
	changes, err := d.gitOf(&a).Changed(ctx, a.Dir, since)
	if err != nil {
		d.log.Warn("changes of a turn not looked at", "agent", a.Name, "kind", groove.KindOf(err), "err", err)
		return
	}
	d.heads.Store(a.Name, changes.Head)
	b := breach{Agent: a.Name, Scope: a.Scope, Turns: []int64{end.Turn}}
	for _, path := range changes.Paths {
		if !s.Covers(path) {
			b.add(strings.TrimPrefix(path, s.Dir()+"/"))
		}
	}
	if len(b.Paths) == 0 {
		return
	}
	if err := d.tellBreach(ctx, b); err != nil {
		d.log.Error("a breach of scope could not be told", "agent", a.Name, "kind", groove.KindOf(err), "err", err)
	}
}

func (b *breach) add(path string) {
	if len(b.Paths) == breachKept {
		b.More++
		return
	}
	b.Paths = append(b.Paths, strings.ToValidUTF8(path, "�"))
}

// tellBreach puts the finding before the user, together with those that the user has not looked at yet,
// and into the agent's next turn.
func (d *daemon) tellBreach(ctx context.Context, b breach) error {
	open, err := d.breaches(ctx)
	if err != nil {
		return err
	}
	now := b
	if before, ok := open[b.Agent]; ok {
		b.join(before)
	}
	detail, err := json.Marshal(b)
	if err != nil {
		return groove.Wrap("tell breach", groove.KindInternal, err)
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		if err := d.approvals.Withdraw(tx, approval.ScopeBreach, string(b.Agent)); err != nil {
			return err
		}
		_, err := d.approvals.Ask(tx, approval.Question{Kind: approval.ScopeBreach, Ref: string(b.Agent), Detail: string(detail),
			Title: string(b.Agent) + " changed files outside its scope: " + b.names()})
		if err != nil {
			return err
		}
		d.audit.Append(tx, audit.Entry{Event: "breach", Agent: b.Agent, Detail: groove.CleanLabel(now.names(), 500)})
		return d.agents.Note(tx, b.Agent, "In your last turn files outside your scope ("+now.scope()+") were changed: "+now.names()+
			". Your user has been told. Take these changes back, unless your user asked you for them.")
	})
}

// join adds what was found before.
func (b *breach) join(before breach) {
	seen := map[string]bool{}
	for _, p := range b.Paths {
		seen[p] = true
	}
	for _, p := range before.Paths {
		if !seen[p] {
			b.add(p)
		}
	}
	b.More += before.More
	b.Turns = append(before.Turns, b.Turns...)
	b.Turns = b.Turns[max(0, len(b.Turns)-breachKept):]
}

// names is a line of the first paths. They are foreign text: quoted where they hold more than
// a plain path does.
func (b *breach) names() string {
	var out []string
	for _, p := range b.Paths[:min(len(b.Paths), breachShown)] {
		if quoted := strconv.QuoteToASCII(p); len(quoted) != len(p)+2 || strings.ContainsAny(p, " ,") {
			p = quoted
		}
		out = append(out, groove.CleanLabel(p, 100))
	}
	line := strings.Join(out, ", ")
	if more := len(b.Paths) - len(out) + b.More; more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line
}

func (b *breach) scope() string {
	if len(b.Scope) == 0 {
		return "its directory"
	}
	return strings.Join(b.Scope, " ")
}

// answerBreach tells the agent what its user makes of it.
func (d *daemon) answerBreach(tx *store.Tx, a approval.Approval) error {
	var b breach
	if json.Unmarshal(a.Detail, &b) != nil || a.State == approval.StateExpired {
		return nil
	}
	if a.Yes() {
		return d.agents.Note(tx, b.Agent, "Your user accepts the changes outside your scope: "+b.names()+". Your scope stays as it is.")
	}
	return d.agents.Note(tx, b.Agent, "Your user wants the changes outside your scope taken back: "+b.names()+".")
}

// breaches are the findings that the user has not looked at, by agent.
func (d *daemon) breaches(ctx context.Context) (map[groove.AgentName]breach, error) {
	open, err := d.approvals.List(ctx, true, 1000)
	out := map[groove.AgentName]breach{}
	for _, a := range open {
		var b breach
		if a.Kind == approval.ScopeBreach && json.Unmarshal(a.Detail, &b) == nil {
			out[b.Agent] = b
		}
	}
	return out, err
}

// addBreaches says of each agent what its user has not looked at.
func (d *daemon) addBreaches(ctx context.Context, list []groove.Agent) error {
	open, err := d.breaches(ctx)
	for i := range list {
		if b, ok := open[list[i].Name]; ok {
			list[i].Outside = len(b.Paths) + b.More
		}
	}
	return err
}

// rememberHead keeps the commit that an agent begins at, for what its turns commit.
func (d *daemon) rememberHead(s *agents.Spec) {
	if _, known := d.heads.Load(s.Name); known {
		return
	}
	a := groove.Agent{Dir: s.Dir, AgentOptions: s.AgentOptions}
	if head := d.gitOf(&a).Head(context.Background(), s.Dir); head != "" {
		d.heads.Store(s.Name, head)
	}
}
