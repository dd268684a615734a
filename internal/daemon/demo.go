package daemon

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"groove/internal/api"
	"groove/internal/clock"
	"groove/internal/driver/shim"
	"groove/internal/groove"
)

// demoWait bounds how long the demo may take to come up, and to go.
const demoWait = 60 * time.Second

// demo is `groove demo` under this daemon: it ends with it, whatever ends it.
type demo struct {
	mu    sync.Mutex // held while it comes up or goes
	proc  *shim.Process
	nodes []Info
}

func (m *demo) runs() bool {
	if m.proc == nil {
		return false
	}
	select {
	case <-m.proc.Done():
		return false
	default:
		return true
	}
}

// Demo is api.Host.
func (d *daemon) Demo(context.Context) (api.Demo, error) {
	d.demo.mu.Lock()
	defer d.demo.mu.Unlock()
	return api.Demo{Running: d.demo.runs()}, nil
}

// StartDemo is api.Host.
func (d *daemon) StartDemo(ctx context.Context) (api.Demo, error) {
	m := &d.demo
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	if !m.runs() {
		if err := m.start(ctx, d.demoDir(), d.mark); err != nil {
			return api.Demo{}, err
		}
	}
	out := api.Demo{Running: true}
	for _, n := range m.nodes {
		code, err := api.NewClient(n.Socket).Open(ctx)
		if err != nil {
			return api.Demo{}, err
		}
		out.Doors = append(out.Doors, api.DemoDoor{Name: n.Name, URL: code.URL})
	}
	return out, nil
}

// demoDir holds the demo's folder, which outlives a daemon that is killed, and the next start clears.
func (d *daemon) demoDir() string { return filepath.Join(d.opts.Home, "run", "demo") }

func (m *demo) start(ctx context.Context, dir, mark string) error {
	const op = "start demo"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	self, err := os.Executable()
	if err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	p, err := shim.Start(shim.Command{Argv: []string{self, "--json", "demo", "--page"}, Env: append(os.Environ(), mark, "TMPDIR="+dir), Clock: clock.Now})
	if err != nil {
		return err
	}
	told := make(chan error, 1)
	go func() { // ends with the line, or with the program
		told <- json.NewDecoder(p.Stdout).Decode(&m.nodes)
	}()
	select {
	case err = <-told:
	case <-ctx.Done():
		p.Kill()
		<-told
		err = ctx.Err()
	}
	_ = p.Stdin.Close()  // it reads nothing,
	_ = p.Stdout.Close() // and has said all
	if err != nil {
		p.Kill()
		<-p.Done()
		return groove.Errorf(op, groove.KindProgramFailed, "the demo did not come up: %w %s", err, strings.TrimSpace(p.Exit().Stderr)).WithFix("groove demo")
	}
	m.proc = p
	return nil
}

// EndDemo is api.Host.
func (d *daemon) EndDemo(context.Context) error {
	d.demo.end(demoWait)
	return nil
}

// end lets it clean up after itself; what still runs after patience is killed.
func (m *demo) end(patience time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.runs() {
		return
	}
	_ = syscall.Kill(m.proc.Program, syscall.SIGTERM) // it may have ended
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-m.proc.Done():
	case <-wait.C:
		m.proc.Kill()
		<-m.proc.Done()
	}
}
