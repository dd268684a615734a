package agents_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"groove/internal/agents"
	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// A crash costs files and syncs: a few for every run, -rapid.checks=1000 for more.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// world is one run of a daemon's floor and its agents: what a kill -9 ends.
type world struct {
	t       testing.TB
	dir     string
	st      *store.Store
	mail    *mailbox.Mailbox
	e       *agents.Engine
	prog    *program
	ask     func(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) string
	changed chan struct{} // closed and replaced at each change of a card or a message
	mu      sync.Mutex
	cards   []groove.Card
	once    sync.Once
}

// newWorld opens the store in dir over what is there. tune may change the options;
// early gets the world before its agents start.
func newWorld(t testing.TB, dir string, prog *program, tune func(*agents.Options), early ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, dir: dir, prog: prog, changed: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), filepath.Join(dir, "groove.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	w.st = st
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	chain, err := audit.Open(t.Context(), st, time.Now, func(b []byte) []byte { return ed25519.Sign(key, b) })
	if err != nil {
		t.Fatal(err)
	}
	w.mail = mailbox.New(mailbox.Options{Store: st, Audit: chain, Clock: time.Now, Log: log, Changed: w.tell,
		Arrived: func(name groove.AgentName) { w.e.Wake(name) }, PeerName: func(int64) (groove.DaemonID, string) { return "", "" }})
	o := agents.Options{Store: st, Audit: chain, Clock: time.Now, Log: log, Mail: w.mail, SessionsDir: filepath.Join(dir, "sessions"),
		Driver: func(name string) (groove.Driver, error) {
			if name != "fake" {
				return nil, groove.Errorf("find driver", groove.KindProgramUnknown, "no program %q", name)
			}
			return prog, nil
		},
		Launch: func(a agents.Spec) (groove.Launch, error) {
			if len(a.Argv) > 0 {
				return groove.Launch{}, groove.Errorf("find agent program", groove.KindProgramFailed, "it is not installed").WithFix("install it")
			}
			return groove.Launch{Argv: []string{a.Program}, Busy: prog.busy, Resume: prog.resume}, nil
		},
		Ancestry: func(pid int) []int { return []int{pid} },
		Changed: func(c groove.Card) {
			w.mu.Lock()
			w.cards = append(w.cards, c)
			w.mu.Unlock()
			w.tell()
		},
		Ask: func(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) string {
			return w.ask(ctx, agent, q)
		},
	}
	if tune != nil {
		tune(&o)
	}
	w.e = agents.New(o)
	for _, f := range early {
		f(w)
	}
	if err := w.e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	w.once.Do(func() {
		w.e.Close(context.Background())
		if err := w.st.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// until waits, change by change, for cond.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if cond() {
			return
		}
		select {
		case <-changed:
		case <-w.t.Context().Done():
			w.t.Fatal("never: " + what)
		}
	}
}

func (w *world) now() time.Time { return time.Now() }

func (w *world) spawn(name groove.AgentName, task string) groove.Agent {
	w.t.Helper()
	a, err := w.e.Spawn(w.t.Context(), agents.Spec{Name: name, Program: "fake", Dir: w.dir, Task: task})
	if err != nil {
		w.t.Fatal(err)
	}
	if a.Process != groove.ProcessStarting || a.Status != groove.AgentRunning || a.Rev == 0 || a.Progress == "" {
		w.t.Errorf("spawned as %+v", a)
	}
	return w.up(name)
}

// up waits until the agent's program is up, or the agent has ended.
func (w *world) up(name groove.AgentName) (a groove.Agent) {
	w.t.Helper()
	w.until("it is up", func() bool {
		var err error
		if a, err = w.e.Get(w.t.Context(), string(name)); err != nil {
			w.t.Fatal(err)
		}
		return a.Process == groove.ProcessUp || a.Status.Ended()
	})
	return a
}

// put commits letters from one sender in one transaction.
func (w *world) put(from, to groove.AgentName, texts ...string) (ids []groove.MessageID) {
	w.t.Helper()
	err := w.st.Do(w.t.Context(), func(tx *store.Tx) error {
		for _, text := range texts {
			sent, err := w.mail.Put(tx, groove.Draft{From: from, To: to, Message: groove.Message{Text: text}})
			if err != nil {
				return err
			}
			ids = append(ids, sent.ID)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func (w *world) status(name groove.AgentName) groove.AgentStatus {
	s, _ := w.e.Lookup(name)
	return s
}

// states lists the inbox of an agent by position.
func (w *world) states(name groove.AgentName) (out []groove.InboxState) {
	w.t.Helper()
	rows, err := w.st.Read().QueryContext(w.t.Context(), "SELECT state FROM inbox WHERE to_agent=? ORDER BY pos", name)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s groove.InboxState
		if err := rows.Scan(&s); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, s)
	}
	if rows.Err() != nil {
		w.t.Fatal(rows.Err())
	}
	return out
}

// allStarted reports whether the inbox holds n letters, all of them started.
func (w *world) allStarted(name groove.AgentName, n int) bool {
	s := w.states(name)
	return len(s) == n && !slices.ContainsFunc(s, func(x groove.InboxState) bool { return x != groove.InStarted })
}

// turnFunc plays one turn.
type turnFunc func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error)

// program is an agent program with a durable history, and its driver.
type program struct {
	mu       sync.Mutex
	history  map[string][]string // what the user side of each session said
	started  int
	noLoad   bool
	mute     bool // loads without replaying the history
	balk     bool // replays the history, then opens a new session after all
	failNext int  // starts that fail
	busy     groove.BusyPolicy
	resume   groove.ResumePolicy
	begin    chan struct{}    // where set, a start waits for it
	cancel   func(s *session) // what session/cancel does
	turn     turnFunc
	at       func(point string) // called at each point where a crash may strike
	last     *session
}

func newProgram() *program {
	return &program{history: map[string][]string{}, at: func(string) {}}
}

// session is one run of it.
type session struct {
	p    *program
	l    groove.Launch
	id   string
	old  bool
	pid  int
	done chan struct{}
	end  sync.Once
	exit groove.Exit
}

func (p *program) Start(ctx context.Context, l groove.Launch) (groove.ProgramSession, error) {
	if l.Progress != nil {
		l.Progress(groove.StepInitialize)
	}
	if p.begin != nil {
		select {
		case <-p.begin:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started++
	if p.failNext > 0 {
		p.failNext--
		return nil, groove.Errorf("start program", groove.KindProgramFailed, "exit 3: no key").WithFix("get a key")
	}
	s := &session{p: p, l: l, id: sessionID(p.started), pid: 1<<30 + p.started, done: make(chan struct{})}
	if old, ok := p.history[l.Session]; ok && !p.noLoad {
		if !p.balk {
			s.id, s.old = l.Session, !p.mute
		}
		for _, text := range old {
			if p.mute {
				break
			}
			for len(text) > 0 { // programs cut where they like
				n := min(len(text), 7)
				l.Update(groove.Update{Kind: groove.UpdateUserText, Text: text[:n], Replay: true})
				text = text[n:]
			}
		}
	}
	if _, ok := p.history[s.id]; !ok {
		p.history[s.id] = nil
	}
	p.last = s
	return s, ctx.Err()
}

func (p *program) current() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// prompts is the whole history.
func (p *program) prompts() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.started {
		out = append(out, p.history[sessionID(i+1)]...)
	}
	return out
}

func (s *session) ID() string            { return s.id }
func (s *session) CanLoad() bool         { return !s.p.noLoad }
func (s *session) Replayed() bool        { return s.old }
func (s *session) PID() int              { return s.pid }
func (s *session) Done() <-chan struct{} { return s.done }
func (s *session) Exit() groove.Exit     { return s.exit }
func (s *session) Stop(context.Context)  { s.die(groove.Exit{Code: -1, Signal: "killed"}) }

func (s *session) Cancel(context.Context) error {
	if s.p.cancel != nil {
		s.p.cancel(s)
	}
	return nil
}

func (s *session) Steer(ctx context.Context, text string, written func()) (groove.TurnResult, error) {
	return s.Prompt(ctx, text, written)
}

func (s *session) die(x groove.Exit) {
	s.end.Do(func() { s.exit = x; close(s.done) })
}

func (s *session) record(text string) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.history[s.id] = append(s.p.history[s.id], text)
}

func (s *session) say(text string) {
	s.l.Update(groove.Update{Kind: groove.UpdateAgentText, Text: text, Raw: []byte(`{"sessionUpdate":"agent_message_chunk"}`)})
}

var errGone = errors.New("the program is gone")

func (s *session) Prompt(ctx context.Context, text string, written func()) (groove.TurnResult, error) {
	s.p.mu.Lock()
	play := s.p.turn
	s.p.mu.Unlock()
	if play == nil {
		play = answer
	}
	return play(ctx, s, text, written)
}

// answer is a turn that goes well.
func answer(_ context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
	s.p.at("prompt committed")
	written()
	s.p.at("line written")
	s.record(text)
	s.p.at("prompt in the history")
	s.say("ok")
	s.p.at("first sign")
	select {
	case <-s.done:
		return groove.TurnResult{}, errGone
	default:
		return groove.TurnResult{Stop: "end_turn"}, nil
	}
}

// gate is a turn that waits: it tells when it has begun and ends when told.
type gate struct {
	begun chan string
	pass  chan struct{}
}

func newGate() *gate { return &gate{begun: make(chan string), pass: make(chan struct{})} }

func (g *gate) turn(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
	written()
	s.record(text)
	select {
	case g.begun <- text:
	case <-s.done:
		return groove.TurnResult{}, errGone
	}
	select {
	case <-g.pass:
		return groove.TurnResult{Stop: "end_turn"}, nil
	case <-s.done:
		return groove.TurnResult{}, errGone
	case <-ctx.Done():
		return groove.TurnResult{}, ctx.Err()
	}
}

func sessionID(n int) string { return "s" + strconv.Itoa(n) }

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(dir, "groove.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func exec(t testing.TB, st *store.Store, query string, args ...any) {
	t.Helper()
	err := st.Do(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err })
	if err != nil {
		t.Fatal(err)
	}
}
