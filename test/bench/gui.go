//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

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
	facts := map[string]any{}
	had, back, err := leave(pageCore)
	if err != nil {
		return err
	}
	if back != nil {
		defer func() { err = errors.Join(err, back()) }()
		facts["cores"] = had
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
	facts["events"], facts["views"] = 300*b.size.rest, views
	if err = p.a.look(ctx, "speed.mjs", facts, &s); err != nil {
		return err
	}
	b.putBusy(&s, views)
	return nil
}

// pageCore is the core that nothing but a page takes while a daemon is busy: on two cores, which 500
// agents share with it, the clock would tell of them.
const pageCore = 0

// leave keeps this process, and what it starts, from a core of those that it had, until back; nil
// where there is no other.
func leave(core int) (had string, back func() error, err error) {
	var all, rest unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return "", nil, err
	}
	if rest = all; !rest.IsSet(core) || rest.Count() < 2 {
		return "", nil, nil
	}
	rest.Clear(core)
	var cores []string
	for i := range 8 * int(unsafe.Sizeof(all)) {
		if all.IsSet(i) {
			cores = append(cores, strconv.Itoa(i))
		}
	}
	return strings.Join(cores, ","), func() error { return keepTo(&all) }, keepTo(&rest)
}

// keepTo has all threads of this process run on some cores alone; those that they start do too.
func keepTo(cores *unix.CPUSet) error {
	for range 2 { // one that came meanwhile has what the one that started it had
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, cores); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}

func (b *bench) putBusy(s *seen, views []string) {
	var each []string
	worst, cpu := views[0], 0.0
	for _, name := range views {
		v := s.Views[name]
		cpu = max(cpu, v.CPU)
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
	b.put("gui_longest_task_ms", w.Longest, w.Floor, fmt.Sprintf("%s; of the processor at most %.0f; %d events/s", strings.Join(each, ", "), cpu, w.Rate))
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
	var task struct{ Longest, CPU, Huge float64 }
	if err := p.a.look(ctx, "longchat.mjs", map[string]any{}, &task); err != nil {
		return err
	}
	b.put("gui_chat10k_longest_task_ms", task.Longest, 0, fmt.Sprintf("of the processor %.0f, with its first layout; to lay out a line of 200 kB, asked for, %.0f", task.CPU, task.Huge))
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
