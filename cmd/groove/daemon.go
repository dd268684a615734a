package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"groove/internal/api"
	"groove/internal/config"
	"groove/internal/daemon"
	"groove/internal/groove"
)

// readyFD names, in the environment of a daemon that was put into the background,
// the pipe on which its parent waits.
const readyFD = "GROOVE_READY_FD"

const (
	startWait = 30 * time.Second
	stopWait  = 60 * time.Second
)

type startCmd struct {
	Foreground bool              `help:"Stay in this terminal, log to standard error."`
	Set        map[string]string `help:"A setting over config.toml, e.g. api.port=0. May be repeated." placeholder:"KEY=VALUE" mapsep:"none"`
}

// Run starts the daemon.
func (c *startCmd) Run(a *app) error {
	if pipe := a.getenv(readyFD); pipe != "" {
		return c.inBackground(a, pipe)
	}
	if c.Foreground {
		return c.daemon(a, takeService(a), a.err, func(i daemon.Info) {
			if a.json {
				_ = json.NewEncoder(a.out).Encode(i) // whoever reads may have gone
				return
			}
			fmt.Fprintf(a.err, "groove %s runs, pid %d, daemon %s\n", groove.Version, i.PID, i.ID.Short())
		})
	}
	if err := c.spawn(a); err != nil {
		return err
	}
	s, err := a.client.Status(a.ctx)
	return show(a, s, err, func(s api.Status) {
		a.printf("groove %s runs, pid %d\n", s.Version, s.PID)
		a.addresses(s)
		a.troubles(s)
	})
}

func (c *startCmd) daemon(a *app, how string, log io.Writer, ready func(daemon.Info)) error {
	self, err := os.Executable()
	if err != nil {
		return groove.Wrap("start", groove.KindInternal, err)
	}
	notify := takeNotify()
	return daemon.Run(a.ctx, daemon.Options{Home: a.home, Flags: c.Set, Log: log, Ready: func(i daemon.Info) {
		if err := writeStarted(a.home, started{How: how, Flags: c.Set, Exe: self}); err != nil {
			fmt.Fprintln(log, err) // it runs all the same; a restart then takes it for one of the background
		}
		ready(i)
		notify()
	}})
}

// inBackground is the child's side: it tells its parent once that it is ready, or why
// it is not.
func (c *startCmd) inBackground(a *app, fd string) error {
	n, err := strconv.Atoi(fd)
	if err != nil || n < 3 {
		return usage("%s is not a descriptor", readyFD)
	}
	// Neither agents nor their programs are to find the pipe.
	unix.CloseOnExec(n)
	if err := os.Unsetenv(readyFD); err != nil {
		return groove.Wrap("start", groove.KindInternal, err)
	}
	pipe := os.NewFile(uintptr(n), "ready")
	told := false
	tellParent := func(v any) {
		if told {
			return
		}
		told = true
		// A parent that has gone leaves a daemon that runs: status tells.
		_ = json.NewEncoder(pipe).Encode(v)
		_ = pipe.Close()
	}
	log, err := openLog(logPath(a.home))
	if err == nil {
		defer log.Close()
		err = c.daemon(a, howBackground, log, func(daemon.Info) { tellParent(struct{}{}) })
	}
	if err != nil {
		tellParent(api.ProblemOf(err))
	}
	return err
}

// spawn is the parent's side: it starts this program again in a session of its own and
// waits for its word.
func (c *startCmd) spawn(a *app) error {
	if err := config.EnsureHome(a.home); err != nil {
		return err
	}
	path := logPath(a.home)
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return groove.Errorf("start", groove.KindHomeDamaged, "%w", err).WithFix("groove doctor")
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return groove.Wrap("start", groove.KindInternal, err)
	}
	defer r.Close()
	self, err := os.Executable()
	if err != nil {
		return errors.Join(groove.Wrap("start", groove.KindInternal, err), w.Close())
	}
	args := []string{"--home", a.home, "start"}
	for key, value := range c.Set {
		args = append(args, "--set", key+"="+value)
	}
	cmd := exec.Command(self, args...) // not bound to ctx: it outlives this command
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = a.home, log, log, []*os.File{w}
	cmd.Env = append(os.Environ(), readyFD+"=3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(cmd.Start(), w.Close()); err != nil {
		return groove.Wrap("start", groove.KindInternal, err)
	}
	return awaitReady(a, cmd, r, path)
}

func awaitReady(a *app, cmd *exec.Cmd, r *os.File, logPath string) error {
	if err := r.SetReadDeadline(time.Now().Add(startWait)); err != nil {
		return groove.Wrap("start", groove.KindInternal, err)
	}
	stop := context.AfterFunc(a.ctx, func() { _ = r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var word api.Problem
	err := json.NewDecoder(io.LimitReader(r, 64<<10)).Decode(&word)
	switch {
	case a.ctx.Err() != nil:
		return errors.Join(a.ctx.Err(), cmd.Process.Kill())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return groove.Errorf("start", groove.KindTimeout, "the daemon, pid %d, is not ready after %s", cmd.Process.Pid, startWait).WithFix("see " + logPath)
	case err != nil:
		return groove.Errorf("start", groove.KindInternal, "the daemon ended before it was ready: %v", cmd.Wait()).WithFix("see " + logPath)
	case word.Kind != "":
		_ = cmd.Wait() // it has told why; its exit code says less
		e := word.AsError()
		if e.Kind == groove.KindInternal {
			e.Fix = "see " + logPath
		}
		return e
	}
	return groove.Wrap("start", groove.KindInternal, cmd.Process.Release())
}

type stopCmd struct{}

// Run stops the daemon and waits until it has ended.
func (stopCmd) Run(a *app) error {
	s, err := a.client.Status(a.ctx)
	if err != nil {
		return err
	}
	if err := a.client.Stop(a.ctx); err != nil {
		return err
	}
	if err := awaitEnd(a.ctx, a.home); err != nil {
		return err
	}
	return show(a, api.Health{Version: s.Version, PID: s.PID}, nil, func(h api.Health) { a.printf("stopped, pid was %d\n", h.PID) })
}

// awaitEnd waits for the daemon's lock on its home: the kernel lets go of it when the
// process has ended, however it ends.
func awaitEnd(ctx context.Context, home string) error {
	f, err := os.Open(filepath.Join(home, "run", "daemon.lock"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return groove.Wrap("stop", groove.KindInternal, err)
	}
	ended := make(chan error, 1)
	go func() { // ends with the daemon, or with this process
		err := unix.Flock(int(f.Fd()), unix.LOCK_SH)
		ended <- errors.Join(err, f.Close())
	}()
	select {
	case err := <-ended:
		return groove.Wrap("stop", groove.KindInternal, err)
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(stopWait):
		return groove.Errorf("stop", groove.KindTimeout, "the daemon has not ended after %s", stopWait).WithFix("see logs/daemon.log in " + home)
	}
}

type statusCmd struct{}

// Run shows how the daemon is.
func (statusCmd) Run(a *app) error {
	s, err := a.client.Status(a.ctx)
	return show(a, s, err, func(s api.Status) {
		a.printf("groove %s, pid %d, started %s\n", s.Version, s.PID, a.ago(s.Started.Time))
		a.printf("  daemon    %s (%s)\n  home      %s\n", cell(s.Name, 64), s.ID, s.Home)
		a.addresses(s)
		a.printf("  now       %d agents, %d peers, %d jobs, %d messages waiting\n", s.Agents, s.Peers, s.Jobs, s.Waiting)
		a.printf("  takes     %s\n", taken(s.Takes))
		if s.Asked > 0 {
			a.printf("  asked     %d questions wait for you: groove approvals\n", s.Asked)
		}
		a.troubles(s)
	})
}

// taken is what the daemon takes of its machine, as far as the system tells.
func taken(t api.Takes) string {
	var parts []string
	if t.Memory > 0 {
		parts = append(parts, size(t.Memory)+" of memory")
	}
	if t.CPUOver > 0 {
		parts = append(parts, fmt.Sprintf("%.1f %% of a core (over %s)", t.CPU, milliseconds(int64(t.CPUOver*1000))))
	}
	parts = append(parts, size(t.Store)+" on disk")
	if t.P99 > 0 {
		parts = append(parts, fmt.Sprintf("99 of 100 commits within %g ms", t.P99))
	}
	return strings.Join(parts, ", ")
}

// size is bytes as people say them.
func size(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// troubles shows what the daemon could not use and went on without.
func (a *app) troubles(s api.Status) {
	for _, t := range s.Problems {
		a.printf("  problem   %s (%s)\n", cell(t.Detail, 400), t.Kind)
		if t.Fix != "" {
			a.printf("            try: %s\n", cell(t.Fix, 400))
		}
	}
}

func (a *app) addresses(s api.Status) {
	a.printf("  commands  %s\n  agents    http://%s\n", s.Socket, s.TCP)
	switch {
	case !s.Gate.Open:
		a.printf("  bridge    closed: nobody is paired\n")
	case s.Gate.Any:
		a.printf("  bridge    %s, open to ANY source: %s (gate: %s)\n", strings.Join(s.Gate.Listen, " "), cell(strings.Join(s.Gate.AnyWhy, ", "), 200), s.Gate.Mode)
	default:
		a.printf("  bridge    %s (gate: %s); a scan %s\n", strings.Join(s.Gate.Listen, " "), s.Gate.Mode, scanText(s.Gate))
	}
	a.improvement("  ", s.Gate)
	if s.Root {
		a.printf("            the daemon runs as root, and so do its agents\n")
	}
}

type versionCmd struct{}

// Run prints the version of this program.
func (versionCmd) Run(a *app) error {
	v := struct {
		Version  string `json:"version"`
		Protocol string `json:"protocol"`
		Go       string `json:"go"`
		System   string `json:"system"`
	}{groove.Version, groove.ProtocolVersion, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	return show(a, v, nil, func(struct {
		Version  string `json:"version"`
		Protocol string `json:"protocol"`
		Go       string `json:"go"`
		System   string `json:"system"`
	}) {
		a.printf("groove %s (bridge protocol %s, %s, %s)\n", v.Version, v.Protocol, v.Go, v.System)
	})
}
