package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/service"
)

type restartCmd struct {
	Yes bool `help:"Do not ask, even if turns end."`
}

// Run stops the daemon and starts it again as it was started, with this program.
func (c *restartCmd) Run(a *app) error {
	before, err := a.client.Status(a.ctx)
	if err != nil {
		return err
	}
	start, err := readStarted(a.home)
	switch {
	case errors.Is(err, fs.ErrNotExist): // of a build that did not write it
		start.How = howBackground
	case err != nil:
		return groove.Wrap("restart", groove.KindHomeDamaged, err)
	}
	if start.How == howForeground {
		return groove.Errorf("restart", groove.KindConflict, "the daemon, pid %d, runs in a terminal or under a supervisor of its own", before.PID).
			WithFix("end it there and start it again; or groove stop, then groove start")
	}
	if err := c.ask(a); err != nil {
		return err
	}
	if err := a.startAgain(start); err != nil {
		return err
	}
	after, err := a.client.Status(a.ctx)
	return show(a, after, err, func(s api.Status) {
		a.printf("groove %s runs, pid %d (was %s, pid %d)\n", s.Version, s.PID, before.Version, before.PID)
		a.addresses(s)
		a.troubles(s)
	})
}

func (a *app) startAgain(start started) error {
	if start.How == howUser || start.How == howSystem {
		return a.restartService(start.How == howSystem)
	}
	if err := a.client.Stop(a.ctx); err != nil {
		return err
	}
	if err := awaitEnd(a.ctx, a.home); err != nil {
		return err
	}
	a.client.Close() // its connections were the old daemon's
	return (&startCmd{Set: start.Flags}).spawn(a)
}

// restartService has the service's manager do it: what the daemon may do comes from
// there.
func (a *app) restartService(system bool) error {
	m := service.Systemd
	if runtime.GOOS == "darwin" {
		m = service.Launchd
	}
	words := service.Restart(m, system, strconv.Itoa(os.Getuid()))
	out, err := a.manager(a.ctx, words)
	if err != nil {
		fix := strings.Join(words, " ")
		if system {
			fix = "sudo " + fix
		}
		return groove.Errorf("restart", groove.KindConflict, "the daemon is a service, and its manager refused: %w: %.200s", err, strings.TrimSpace(string(out))).WithFix(fix)
	}
	a.client.Close()
	return nil
}

// ask says which turns end. With none there is no question.
func (c *restartCmd) ask(a *app) error {
	agents, err := a.client.Agents(a.ctx)
	if err != nil {
		return err
	}
	var busy, rest []string
	for _, g := range agents {
		switch {
		case slices.Contains([]groove.AgentStatus{groove.AgentRunning, groove.AgentAwaiting, groove.AgentStalled}, g.Status):
			busy = append(busy, fmt.Sprintf("%s (%s since %s)", g.Name, g.Status, strings.TrimSuffix(a.ago(g.Since.Time), " ago")))
		case !g.Status.Ended():
			rest = append(rest, string(g.Name))
		}
	}
	if len(busy) == 0 {
		return nil
	}
	fmt.Fprintf(a.err, "This ends the turn of: %s.\nTheir sessions are loaded again, and mail that waits is delivered then; what the turn was about to do is not.\n", strings.Join(busy, ", "))
	if len(rest) > 0 {
		fmt.Fprintf(a.err, "Idle agents come back as they are: %s.\n", strings.Join(rest, ", "))
	}
	if c.Yes {
		return nil
	}
	if !isTerminal(a.in) {
		return groove.Errorf("restart", groove.KindConflict, "%d turns would end", len(busy)).WithFix("wait for them (groove agents), or groove restart --yes")
	}
	return a.sure(false, "Restart now?")
}
