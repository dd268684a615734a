// Package crowd makes a daemon busy as hundreds of agents do: most stand in terminals of
// their own (attached, so that no process of ours runs for them), some run the scripted
// program and talk all the time. All goes over the daemon's API and is told by its events.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"groove/internal/api"
	"groove/internal/groove"
)

const (
	// talkers run a program each.
	talkers = 28
	// connected is how many attached agents have a program at a time.
	connected = 60
	// callers send and connect at the same time.
	callers = 4
	tick    = 20 * time.Millisecond
)

// talk is a turn of 6 s that streams Markdown and reports its context as it fills.
var talk = func() string {
	var s strings.Builder
	s.WriteString("default:\n")
	for i := range 100 {
		text := fmt.Sprintf("The endpoint **answers** step %d with `amount_cents`. ", i)
		switch i % 20 {
		case 9:
			text += `\n\n`
		case 19:
			text = `\n\n~~~go\nfunc Sum(all []int64) (n int64) {\n\tfor _, v := range all {\n\t\tn += v\n\t}\n\treturn n\n}\n~~~\n\n`
			fmt.Fprintf(&s, "  - usage: {context_used: %d, output: 40}\n", 1000*i)
		}
		fmt.Fprintf(&s, "  - say: \"%s\"\n  - sleep: 55ms\n", text)
	}
	return s.String()
}()

// Crowd is the agents of one daemon.
type Crowd struct {
	Client *api.Client
	Dir    string // for scripts, and where agents work
	Agents int
	// Job and Peer are where every tenth message goes, to a peer's agent; "" where there is none.
	Job  groove.JobID
	Peer groove.AgentName

	talking, attached []groove.AgentName
}

// Gather makes all agents known and starts the programs of those that have one.
func (c *Crowd) Gather(ctx context.Context) error {
	script := filepath.Join(c.Dir, "talk.yaml")
	if err := os.WriteFile(script, []byte(talk), 0o600); err != nil {
		return err
	}
	for i := range c.Agents {
		if i < talkers {
			c.talking = append(c.talking, groove.AgentName(fmt.Sprintf("talker-%02d", i+1)))
		} else {
			c.attached = append(c.attached, groove.AgentName(fmt.Sprintf("terminal-%03d", i+1)))
		}
	}
	err := each(c.talking, func(i int, name groove.AgentName) error {
		_, err := c.Client.Spawn(ctx, api.SpawnRequest{Name: name, Program: "scripted", Script: script, Dir: c.Dir, Team: "talkers", Role: role(i), Scope: []string{fmt.Sprintf("src/%d/**", i)},
			Env: []string{"GROOVE_SCRIPTED_DIR=" + c.Dir}})
		return err
	})
	if err != nil {
		return err
	}
	return each(c.attached, func(_ int, name groove.AgentName) error { return c.attach(ctx, name, true, func() {}) })
}

// each does it for all, a few at a time.
func each(names []groove.AgentName, do func(int, groove.AgentName) error) error {
	var all errgroup.Group
	all.SetLimit(callers)
	for i, name := range names {
		all.Go(func() error { return do(i, name) })
	}
	return all.Wait()
}

func role(i int) string {
	if i == 0 {
		return "planner"
	}
	return "backend"
}

// attach connects an agent until ctx ends; later makes it known alone. told is called when the daemon knows.
func (c *Crowd) attach(ctx context.Context, name groove.AgentName, later bool, told func()) error {
	known := errors.New("known")
	err := c.Client.Attach(ctx, api.AttachRequest{Name: name, Dir: c.Dir, Title: "Looks after " + string(name), Team: "terminals", Later: later}, func(api.AttachLine) error {
		told()
		if later {
			return known
		}
		return nil
	})
	if errors.Is(err, known) || ctx.Err() != nil {
		return nil
	}
	return err
}

// Keep makes perSecond events a second until ctx ends: some half of them what programs say, the
// others messages and agents that come and go. It returns what failed, and no error of the end.
func (c *Crowd) Keep(ctx context.Context, perSecond int) error {
	work := make(chan func() error)
	group, ctx := errgroup.WithContext(ctx)
	for range callers {
		group.Go(func() error {
			for do := range work {
				if err := do(); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(work)
		return c.pace(ctx, perSecond, work)
	})
	return group.Wait()
}

// pace hands out what is to be done, evenly.
func (c *Crowd) pace(ctx context.Context, perSecond int, work chan<- func() error) error {
	come := &coming{crowd: c, ctx: ctx}
	defer come.all.Wait()
	clock := time.NewTicker(tick)
	defer clock.Stop()
	var sent, came int
	for begun := time.Now(); ; {
		hand := func(do func() error) bool {
			select {
			case work <- do:
				return true
			case <-ctx.Done():
				return false
			}
		}
		gone := time.Since(begun).Seconds()
		for ; sent < int(gone*float64(perSecond)*0.4); sent++ {
			if !hand(c.message(ctx, sent)) {
				return come.failed()
			}
		}
		for ; came < int(gone*float64(perSecond)*0.1); came++ {
			if !hand(come.next(came)) {
				return come.failed()
			}
		}
		select {
		case <-clock.C:
		case <-ctx.Done():
			return come.failed()
		}
	}
}

// message is the nth message: to a talker so that its turns go on, over the job, or into somebody's inbox.
func (c *Crowd) message(ctx context.Context, n int) func() error {
	r := api.MessageRequest{To: api.MessageTo{Agent: c.attached[n*7%len(c.attached)]}, Payload: groove.Message{Text: fmt.Sprintf("Message %d: the amounts are in **cents** from now on.", n)}}
	switch {
	case n%80 == 3:
		r.To.Agent = c.talking[n/80%len(c.talking)]
	case n%10 == 5 && c.Job != "":
		r.Job, r.To.Agent = c.Job, c.Peer
	}
	return func() error {
		_, err := c.Client.Send(ctx, r)
		return err
	}
}

// coming is the attached agents that are connected now, oldest first.
type coming struct {
	crowd *Crowd
	ctx   context.Context
	here  []context.CancelFunc
	all   sync.WaitGroup
	wrong atomic.Pointer[error]
}

// next connects the nth agent and lets the one go that has been here longest.
func (c *coming) next(n int) func() error {
	ctx, leave := context.WithCancel(c.ctx)
	c.here = append(c.here, leave)
	var first context.CancelFunc
	if len(c.here) > connected {
		first, c.here = c.here[0], c.here[1:]
	}
	name := c.crowd.attached[n%len(c.crowd.attached)]
	told := make(chan struct{})
	c.all.Add(1)
	go func() {
		defer c.all.Done()
		var once sync.Once
		say := func() { once.Do(func() { close(told) }) }
		defer say()
		if err := c.crowd.attach(ctx, name, false, say); err != nil && ctx.Err() == nil {
			c.wrong.CompareAndSwap(nil, &err)
		}
	}()
	return func() error {
		if first != nil {
			first()
		}
		<-told
		return c.failed()
	}
}

func (c *coming) failed() error {
	if err := c.wrong.Load(); err != nil {
		return *err
	}
	return nil
}
