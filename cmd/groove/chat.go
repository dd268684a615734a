package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"groove/internal/api"
	"groove/internal/groove"
)

type chatCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
}

// Run sends each line of standard input to the agent as the user, and shows what its
// program says and what others write to it. It ends with the input, or the agent.
func (c *chatCmd) Run(a *app) error {
	agent, err := a.client.Agent(a.ctx, c.Agent)
	if err != nil {
		return err
	}
	if in, out, ok := a.terminal(); ok && !a.json {
		return a.talkAt(in, out, agent)
	}
	name := string(agent.Name)
	end, err := a.client.Output(a.ctx, name, endOfOutput, 0)
	if err != nil {
		return err
	}
	filter := api.MessageFilter{Agent: name, Limit: 20}
	before, err := a.client.Messages(a.ctx, filter, 0)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	quiet := *a
	quiet.ctx = ctx
	out := &shared{w: a.out}
	var wg sync.WaitGroup
	results := make(chan error, 3)
	begin := func(what func() error) { wg.Go(func() { results <- what() }) }
	begin(func() error {
		p := &printer{w: out, raw: a.json}
		return quiet.stream(name, end.Next, true, p.write)
	})
	begin(func() error { return quiet.follow(before, filter, quiet.others(out, before)) })
	lines := make(chan error, 1)
	// Reading a terminal cannot be called off: this one ends with the process.
	go func() { lines <- quiet.typed(name) }()
	select {
	case err = <-results:
	case err = <-lines:
	}
	cancel()
	wg.Wait()
	if errors.Is(err, context.Canceled) && a.ctx.Err() == nil {
		err = nil
	}
	return err
}

// terminal is the one that a person sits at, if there is one.
func (a *app) terminal() (in, out *os.File, ok bool) {
	in, typed := a.in.(*os.File)
	out, shown := a.out.(*os.File)
	return in, out, typed && shown && isTerminal(in) && isTerminal(out)
}

// typed sends each line until the input ends.
func (a *app) typed(agent string) error {
	lines := bufio.NewScanner(a.in)
	lines.Buffer(nil, groove.MaxText)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		_, err := a.client.Send(a.ctx, api.MessageRequest{To: api.MessageTo{Agent: groove.AgentName(agent)}, Payload: groove.Message{Text: text}})
		if err != nil {
			return err
		}
	}
	return groove.Wrap("read standard input", groove.KindInternal, lines.Err())
}

// others shows messages between the agent and anyone but the user, once each. What
// was there before is not shown again.
func (a *app) others(w io.Writer, before api.Messages) func(*groove.Mail) error {
	known := map[string]bool{}
	for i := range before.Messages {
		known[before.Messages[i].ID.String()] = true
	}
	return func(m *groove.Mail) error {
		if known[m.ID.String()] || m.From == groove.User && m.Direction == "local" {
			return nil
		}
		known[m.ID.String()] = true
		if a.json {
			quiet := *a
			quiet.out = w
			return quiet.printJSON(m)
		}
		var b strings.Builder
		b.WriteString("\n")
		a.letter(&b, m)
		_, err := io.WriteString(w, b.String())
		return err
	}
}

// shared is standard output for several writers.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.w.Write(b)
	if err != nil {
		err = errBroken
	}
	return n, err
}
