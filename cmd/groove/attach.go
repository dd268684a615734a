package main

import (
	"context"
	"os"
	"sync"
	"time"

	"groove/internal/api"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/tools"
)

// A connection that was lost is made anew after 0.5 s, doubling to 30 s, as on the bridge.
const (
	attachAgain    = 500 * time.Millisecond
	attachAgainMax = 30 * time.Second
	// attachPatience is how long a call waits for a daemon that is being started again.
	attachPatience = 10 * time.Second
)

// seat keeps a program of the user's connected as an attached agent.
type seat struct {
	client *api.Client
	as     api.AttachRequest

	mu      sync.Mutex
	at      *tools.Endpoint // nil while not connected
	why     error           // why not
	final   bool            // and that stays so
	changed chan struct{}
}

func newSeat(c *api.Client, as api.AttachRequest) *seat {
	return &seat{client: c, as: as, changed: make(chan struct{})}
}

func (s *seat) set(at *tools.Endpoint, why error, final bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.why, s.final = at, why, final
	close(s.changed)
	s.changed = make(chan struct{})
}

// hold connects, again and again, until ctx ends, the agent has ended or it is refused.
func (s *seat) hold(ctx context.Context) {
	for wait := attachAgain; ctx.Err() == nil; wait = min(2*wait, attachAgainMax) {
		err := s.client.Attach(ctx, s.as, func(l api.AttachLine) error {
			if l.Ended {
				return groove.Errorf("attach agent", groove.KindAgentExited, "%s has ended", l.Agent.Name)
			}
			wait = attachAgain
			s.set(&tools.Endpoint{URL: l.MCPURL, Token: l.Token}, nil, false)
			return nil
		})
		final := groove.KindOf(err) != groove.KindDaemonDown
		s.set(nil, err, final)
		if final {
			return
		}
		select {
		case <-clock.After(wait):
		case <-ctx.Done():
		}
	}
}

// endpoint waits a little for a connection.
func (s *seat) endpoint(ctx context.Context) (tools.Endpoint, error) {
	late := clock.After(attachPatience)
	for {
		s.mu.Lock()
		at, why, final, changed := s.at, s.why, s.final, s.changed
		s.mu.Unlock()
		switch {
		case at != nil:
			return *at, nil
		case final:
			return tools.Endpoint{}, why
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return tools.Endpoint{}, ctx.Err()
		case <-late:
			if why == nil {
				why = groove.Errorf("attach agent", groove.KindDaemonDown, "the daemon does not answer").WithFix("groove start")
			}
			return tools.Endpoint{}, why
		}
	}
}

// joinedShim carries MCP between a program of the user's and the daemon.
func joinedShim(ctx context.Context, home, name, program string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.Getwd()
	if err != nil {
		return groove.Wrap("find the working directory", groove.KindInternal, err)
	}
	a := &app{ctx: ctx, env: os.Environ()}
	if err := a.open(home); err != nil {
		return err
	}
	defer a.client.Close()
	s := newSeat(a.client, api.AttachRequest{Name: groove.AgentName(name), Program: program, Dir: dir})
	var held sync.WaitGroup
	held.Go(func() { s.hold(ctx) })
	err = tools.StdioTo(ctx, s.endpoint, os.Stdin, os.Stdout)
	cancel()
	held.Wait()
	return err
}
