package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"groove/internal/api"
	"groove/internal/groove"
)

const talkHelp = `  a line        goes to the agent as yours; while it works it waits for the end of its turn
  /now TEXT     goes to it now: into its turn, or in place of it
  /yes, /no     answer its program's question; with several: /yes ID
  /interrupt    ends its turn, as Ctrl-C does
  /who          who it is and how it stands
  /quit         leaves it at its work, as Ctrl-D does
`

// talk is a conversation at a terminal: what the agent says, does and asks goes above the
// line that is being typed.
type talk struct {
	a    *app
	name string
	term *term.Terminal
	say  *printer

	mu     sync.Mutex
	shown  map[string]bool // questions
	open   []string        // those that wait
	status groove.AgentStatus
	ended  chan struct{}
	once   sync.Once
}

// talkAt runs the conversation on a terminal until the user leaves or the agent ends.
func (a *app) talkAt(in, out *os.File, agent groove.Agent) error {
	fd := int(in.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return groove.Wrap("use the terminal", groove.KindInternal, err)
	}
	defer term.Restore(fd, before) //nolint:errcheck // the terminal is gone then
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	quiet := *a
	quiet.ctx = ctx
	t := &talk{a: &quiet, name: string(agent.Name), shown: map[string]bool{}, ended: make(chan struct{})}
	t.term = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keys{r: in, interrupt: t.interrupt}, out}, "")
	if width, height, err := term.GetSize(int(out.Fd())); err == nil {
		_ = t.term.SetSize(width, height) // fails on a width of none, which it keeps as it was
	}
	quiet.out = t.term
	t.term.SetBracketedPasteMode(true)
	defer t.term.SetBracketedPasteMode(false)
	t.say = &printer{w: &lines{w: t.term, width: width(out)}}
	return t.run(ctx, cancel, agent)
}

func width(out *os.File) int {
	if w, _, err := term.GetSize(int(out.Fd())); err == nil && w > 20 {
		return w
	}
	return 80
}

// run has the three streams of the conversation and the typing end together.
func (t *talk) run(ctx context.Context, cancel func(), agent groove.Agent) error {
	end, err := t.a.client.Output(ctx, t.name, endOfOutput, 0)
	if err != nil {
		return err
	}
	filter := api.MessageFilter{Agent: t.name, Limit: 20}
	before, err := t.a.client.Messages(ctx, filter, 0)
	if err != nil {
		return err
	}
	t.stands(agent.Status)
	t.printf("%s, %s in %s. /help says what can be typed.\n", agent.Name, cell(agent.Program, 32), cell(agent.Dir, 200))
	var wg sync.WaitGroup
	results := make(chan error, 3)
	begin := func(what func() error) { wg.Go(func() { results <- what() }) }
	begin(func() error { return t.a.stream(t.name, end.Next, true, t.say.write) })
	begin(func() error { return t.a.follow(before, filter, t.letters(before)) })
	begin(func() error { return t.watch(ctx) })
	typed := make(chan error, 1)
	// Reading a terminal cannot be called off: this one ends with the process.
	go func() { typed <- t.type_() }()
	select {
	case err = <-results:
	case err = <-typed:
	case <-t.ended:
	}
	cancel()
	wg.Wait()
	if errors.Is(err, context.Canceled) && t.a.ctx.Err() != nil {
		err = nil
	}
	return err
}

func (t *talk) printf(format string, args ...any) { fmt.Fprintf(t.term, format, args...) }

// block shows what fn prints at once: the terminal takes whole lines alone.
func (t *talk) block(fn func(a *app)) {
	var b strings.Builder
	a := *t.a
	a.out = &b
	fn(&a)
	t.printf("%s", b.String())
}

// stands shows how the agent is in the prompt.
func (t *talk) stands(s groove.AgentStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status = s
	t.term.SetPrompt(fmt.Sprintf("%s (%s)> ", t.name, s))
}

// watch follows the agent's state and its questions.
func (t *talk) watch(ctx context.Context) error {
	if err := t.questions(ctx); err != nil {
		return err
	}
	return t.a.client.Events(ctx, nil, func(e groove.Event) error {
		switch {
		case e.Topic == groove.TopicApproval:
			return t.questions(ctx)
		case e.Topic == groove.TopicAgent && e.ID == t.name:
			t.stands(groove.AgentStatus(e.State))
			_, _ = t.term.Write(nil) // shows the prompt anew; a terminal that is gone ends the typing
			if groove.AgentStatus(e.State).Ended() {
				t.printf("%s is %s%s\n", t.name, e.State, reasonOf(e.Reason))
				t.once.Do(func() { close(t.ended) })
			}
		}
		return nil
	})
}

func reasonOf(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + cell(reason, 300)
}

// questions shows what the agent's program newly asks, and forgets what was answered.
func (t *talk) questions(ctx context.Context) error {
	list, err := t.a.client.Approvals(ctx, false)
	if err != nil {
		return err
	}
	var open []string
	for i := len(list) - 1; i >= 0; i-- { // oldest first
		q := list[i]
		var about struct {
			Agent string `json:"agent"`
		}
		// What is not about an agent has no such member.
		if json.Unmarshal(q.Detail, &about) != nil || about.Agent != t.name {
			continue
		}
		open = append(open, q.ID)
		if t.shown[q.ID] {
			continue
		}
		t.shown[q.ID] = true
		t.block(func(a *app) {
			a.printf("\n? ")
			a.question(q)
			a.printf("  here: /yes or /no\n")
		})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = open
	return nil
}

// letters shows what the agent writes to others and what they write to it, and how far it
// has come.
func (t *talk) letters(before api.Messages) func(*groove.Mail) error {
	known := map[string]string{}
	for i := range before.Messages {
		known[before.Messages[i].Direction+before.Messages[i].ID.String()] = before.Messages[i].State
	}
	return func(m *groove.Mail) error {
		if m.From == groove.User && m.Direction == "local" {
			return nil
		}
		key := m.Direction + m.ID.String()
		state, old := known[key]
		known[key] = m.State
		switch {
		case !old:
			t.block(func(a *app) {
				a.printf("\n%s ", mark(m))
				a.letter(a.out, m)
			})
		case state != m.State && m.Direction == "out":
			t.printf("  %.13s… to %s is %s\n", m.ID, place(m.To, or(m.PeerName, m.Peer.Short())), m.State)
		}
		return nil
	}
}

// mark says at a glance which way a message goes, and that it is a peer's.
func mark(m *groove.Mail) string {
	switch m.Direction {
	case "in":
		return "◀ peer:"
	case "out":
		return "▶ to peer:"
	}
	return "·"
}

// type_ reads lines until the user leaves.
func (t *talk) type_() error {
	var pasted []string
	for {
		line, err := t.term.ReadLine()
		switch {
		case errors.Is(err, term.ErrPasteIndicator):
			pasted = append(pasted, line)
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return groove.Wrap("read the terminal", groove.KindInternal, err)
		}
		text := strings.TrimSpace(strings.Join(append(pasted, line), "\n"))
		pasted = nil
		if text == "/quit" {
			return nil
		}
		if err := t.obey(text); err != nil {
			e := groove.AsError(err)
			t.printf("refused (%s): %s\n", e.Kind, plain(e.Why()))
			if e.Fix != "" {
				t.printf("  try: %s\n", plain(e.Fix))
			}
		}
	}
}

// obey does what a line says.
func (t *talk) obey(text string) error {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "":
		return nil
	case "/help":
		t.printf("%s", talkHelp)
		return nil
	case "/yes", "/no":
		return t.answer(word == "/yes", rest)
	case "/interrupt":
		_, err := t.a.client.Interrupt(t.a.ctx, t.name, false)
		return err
	case "/now":
		sent, err := t.a.client.Steer(t.a.ctx, t.name, rest)
		if err == nil && sent.Note != "" {
			t.printf("  %s\n", plain(sent.Note))
		}
		return err
	case "/who":
		agent, err := t.a.client.Agent(t.a.ctx, t.name)
		if err == nil {
			t.printf("  %s %s, %s, turn %d, %d unread, in %s\n  %s\n", agent.Name, agent.Status, cell(agent.Program, 32), agent.Turns, agent.Unread, cell(agent.Dir, 200), cell(or(agent.Title, agent.Role), 120))
		}
		return err
	}
	if strings.HasPrefix(word, "/") && !strings.Contains(word[1:], "/") {
		return groove.Errorf("read the line", groove.KindInvalid, "there is no %s here", word).WithFix("/help")
	}
	_, err := t.a.client.Send(t.a.ctx, api.MessageRequest{To: api.MessageTo{Agent: groove.AgentName(t.name)}, Payload: groove.Message{Text: text}})
	return err
}

// answer decides the question that waits, or the one that is named.
func (t *talk) answer(yes bool, id string) error {
	t.mu.Lock()
	open := t.open
	t.mu.Unlock()
	if id == "" {
		if len(open) != 1 {
			return groove.Errorf("answer", groove.KindAmbiguous, "%d questions wait", len(open)).WithFix("name one: /yes ID; groove approvals lists them")
		}
		id = open[0]
	}
	word := "reject"
	if yes {
		word = "approve"
	}
	_, err := t.a.client.Answer(t.a.ctx, id, api.AnswerRequest{Answer: word})
	return err
}

// interrupt is Ctrl-C.
func (t *talk) interrupt() {
	t.mu.Lock()
	busy := t.status == groove.AgentRunning || t.status == groove.AgentAwaiting || t.status == groove.AgentStalled
	t.mu.Unlock()
	if !busy {
		t.printf("  no turn is running; Ctrl-D leaves\n")
		return
	}
	if _, err := t.a.client.Interrupt(t.a.ctx, t.name, false); err != nil {
		t.printf("not interrupted: %s\n", plain(groove.AsError(err).Why()))
	}
}

// keys takes Ctrl-C out of what is typed: to the terminal's editor it would mean the end.
type keys struct {
	r         io.Reader
	interrupt func()
}

const ctrlC = 3

// Read is io.Reader.
func (k *keys) Read(b []byte) (int, error) {
	for {
		n, err := k.r.Read(b)
		kept := b[:0]
		for _, c := range b[:n] {
			if c != ctrlC {
				kept = append(kept, c)
				continue
			}
			// Not here: it writes to the terminal, whose reader waits for us.
			time.AfterFunc(0, k.interrupt)
		}
		if len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}

// lines gives a terminal whole lines alone: what is typed stands below them. A text that
// comes in pieces is broken at the terminal's width.
type lines struct {
	w     io.Writer
	width int
	rest  []rune
}

// Write is io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	for _, r := range string(b) {
		if r == '\n' {
			if err := l.flush(len(l.rest)); err != nil {
				return 0, err
			}
			continue
		}
		l.rest = append(l.rest, r)
		if len(l.rest) >= l.width-1 {
			if err := l.flush(breakAt(l.rest)); err != nil {
				return 0, err
			}
		}
	}
	return len(b), nil
}

// breakAt is where a full line is broken: behind its last space, if that is not too early.
func breakAt(line []rune) int {
	for i := len(line) - 1; i > len(line)/2; i-- {
		if line[i] == ' ' {
			return i + 1
		}
	}
	return len(line)
}

func (l *lines) flush(n int) error {
	line := string(l.rest[:n])
	l.rest = append(l.rest[:0], l.rest[n:]...)
	_, err := io.WriteString(l.w, line+"\n")
	return err
}
