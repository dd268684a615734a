//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"groove/internal/gui"
	"groove/test/crowd"
	"groove/test/page"
)

// What looks at a daemon through a browser, and how busy that daemon is.
const (
	crowdOf     = 500
	crowdEvents = 500
)

// seen is what speed.mjs tells: times in ms, of the clock and of the processor.
type seen struct {
	Views map[string]struct {
		Longest, CPU, Floor float64
		Rate                int
	}
	Palette     []struct{ Took, CPU float64 }
	Interactive float64
}

// without says that figures are not measured here, and why; that is no failure.
func without(why string) error {
	fmt.Fprintf(os.Stderr, "skipped: %s\n", why)
	return nil
}

// guiSize is what a browser fetches for the first view.
func (b *bench) guiSize(context.Context) error {
	files := gui.Files()
	if files == nil {
		return without("the GUI is not built in (make web)")
	}
	first, err := page.Weigh(files)
	sum := 0
	for _, n := range first {
		sum += n
	}
	if err == nil {
		b.put("gui_first_load_kb", float64(sum)/1000, 0, fmt.Sprintf("%d files, compressed", len(first)))
	}
	return err
}

// guiBusy is how a page stands up to 500 agents and what they do.
func (b *bench) guiBusy(ctx context.Context) (err error) {
	if why := page.Lacks(); why != "" {
		return without(why)
	}
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	theirs, err := p.spawn(ctx, p.b, hangs, 1)
	if err != nil {
		return err
	}
	c := &crowd.Crowd{Client: p.a.client, Dir: p.dir, Agents: crowdOf, Peer: theirs[0]}
	if err := c.Gather(ctx); err != nil {
		return err
	}
	if c.Job, err = p.open(ctx, "talker-01", theirs[0]); err != nil {
		return err
	}
	busy, rest := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.Keep(busy, crowdEvents) }()
	defer func() { rest(); err = errors.Join(err, <-ended) }()
	var s seen
	views := []string{"tree", "list", "chat", "jobs", "dashboard"}
	err = p.a.look(ctx, "speed.mjs", map[string]any{"events": 300 * b.size.rest, "views": views}, &s)
	if err != nil {
		return err
	}
	b.putBusy(&s, views)
	return nil
}

func (b *bench) putBusy(s *seen, views []string) {
	var each []string
	worst := views[0]
	for _, name := range views {
		v := s.Views[name]
		each = append(each, fmt.Sprintf("%s %.0f", name, v.Longest))
		if v.Longest > s.Views[worst].Longest {
			worst = name
		}
	}
	w := s.Views[worst]
	b.put("gui_interactive_ms", s.Interactive, 0, fmt.Sprintf("%d agents, who go on meanwhile", crowdOf))
	slices.SortFunc(s.Palette, func(x, y struct{ Took, CPU float64 }) int { return int(x.Took*10) - int(y.Took*10) })
	middle, last := s.Palette[len(s.Palette)/2], s.Palette[len(s.Palette)-1]
	b.put("gui_palette_ms", middle.Took, 0, fmt.Sprintf("the middle of %d, the longest %.0f; of the processor %.0f", len(s.Palette), last.Took, middle.CPU))
	b.put("gui_longest_task_ms", w.Longest, w.Floor, fmt.Sprintf("%s; of the processor %.0f; %d events/s", strings.Join(each, ", "), w.CPU, w.Rate))
}

// guiChat is a conversation of 10,000 messages, one of them 200 kB long.
func (b *bench) guiChat(ctx context.Context) (err error) {
	if why := page.Lacks(); why != "" {
		return without(why)
	}
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := crowd.Talk(ctx, p.a.client, p.dir); err != nil {
		return err
	}
	var task struct{ Longest, CPU float64 }
	if err := p.a.look(ctx, "longchat.mjs", map[string]any{}, &task); err != nil {
		return err
	}
	b.put("gui_chat10k_longest_task_ms", task.Longest, 0, fmt.Sprintf("of the processor %.0f; with its first layout", task.CPU))
	return nil
}

// look lets a browser in and takes the last line that its script prints.
func (n *node) look(ctx context.Context, script string, facts map[string]any, into any) error {
	code, err := n.client.Open(ctx)
	if err != nil {
		return err
	}
	facts["url"] = code.URL
	return page.Drive(ctx, script, facts, func(line []byte) error { return json.Unmarshal(line, into) })
}
