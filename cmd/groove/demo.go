package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"groove/internal/api"
	"groove/internal/daemon"
	"groove/internal/driver/shim"
	"groove/internal/groove"
)

//go:embed demo/frontend.yaml
var demoFrontend string

//go:embed demo/backend.yaml
var demoBackend string

// demoWait bounds every step of the demo.
const demoWait = 60 * time.Second

type demoCmd struct {
	Exit bool `help:"End by itself: 0 only if every message was answered."`
	Page bool `hidden:"" help:"For the GUI: tell of both daemons as one JSON line once they work, and go on until it is ended."`
}

// demo is two daemons of this machine in a folder of their own.
type demo struct {
	a           *app
	dir         string
	laptop, vps *demoNode
	job         groove.JobID
	quiet       bool
}

// demoNode is one of them.
type demoNode struct {
	name, home, ip string
	info           daemon.Info
	proc           *shim.Process
	client         *api.Client
}

// Run shows the main job: two daemons pair, two agents agree, nothing is lost.
func (c *demoCmd) Run(a *app) error {
	dir, err := os.MkdirTemp("", "groove-demo-")
	if err != nil {
		return groove.Wrap("demo", groove.KindInternal, err)
	}
	d := &demo{a: a, dir: dir, laptop: &demoNode{name: "laptop", ip: "127.0.0.1"}, vps: &demoNode{name: "vps", ip: "127.0.0.2"}}
	if c.Page {
		err = d.page()
	} else {
		err = d.play(c.Exit)
	}
	if errors.Is(err, context.Canceled) || a.ctx.Err() != nil {
		err = nil // Ctrl-C is how the demo ends
	}
	d.end()
	return errors.Join(err, os.RemoveAll(dir))
}

type demoStep struct {
	say string
	do  func(context.Context) error
}

func (d *demo) steps() []demoStep {
	return []demoStep{
		{"two daemons start, each with a home and a key of its own", d.start},
		{"they pair: one makes an invite, the other uses it", d.pair},
		{"two agents start under their daemons (scripted; real ones go the same way)", d.spawn},
		{"laptop opens a job: these two agents may write to each other, nobody else", d.open},
	}
}

// take takes every step, and says so.
func (d *demo) take(say func(format string, values ...any)) error {
	for i, s := range d.steps() {
		say("%d. %s\n", i+1, s.say)
		ctx, cancel := context.WithTimeout(d.a.ctx, demoWait)
		err := s.do(ctx)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// page shows nothing here: the browser does.
func (d *demo) page() error {
	d.quiet = true
	if err := d.take(d.printf); err != nil {
		return err
	}
	if err := d.a.printJSON([]daemon.Info{d.laptop.info, d.vps.info}); err != nil {
		return err
	}
	<-d.a.ctx.Done()
	return nil
}

func (d *demo) printf(format string, values ...any) {
	if !d.quiet {
		d.a.printf(format, values...)
	}
}

func (d *demo) play(exit bool) error {
	a := d.a
	if err := d.take(d.printf); err != nil {
		return err
	}
	d.hints(exit)
	a.printf("5. the agents agree on an API; each message, and how far it has come\n\n")
	mails, err := d.watch()
	if err != nil {
		return err
	}
	if err := d.verdict(mails); err != nil || exit {
		return err
	}
	a.printf("\nBoth daemons go on. Look around with the commands above; Ctrl-C ends them and removes %s\n", d.dir)
	<-a.ctx.Done()
	return nil
}

// start runs both daemons under a shim each: they end with this process, whatever ends it.
func (d *demo) start(ctx context.Context) error {
	var wait sync.WaitGroup
	errs := make([]error, 2)
	for i, n := range []*demoNode{d.laptop, d.vps} {
		n.home = filepath.Join(d.dir, n.name)
		wait.Go(func() { errs[i] = n.start(ctx) })
	}
	wait.Wait()
	for _, n := range []*demoNode{d.laptop, d.vps} {
		if n.client != nil {
			d.printf("     %-7s pid %d, daemon %s, bridge %s\n", n.name, n.info.PID, n.info.ID.Short(), strings.Join(n.info.Bridge, " "))
		}
	}
	return errors.Join(errs...)
}

func (n *demoNode) start(ctx context.Context) error {
	if err := os.MkdirAll(n.home, 0o700); err != nil {
		return groove.Wrap("demo", groove.KindInternal, err)
	}
	bridge, err := freePort(n.ip)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return groove.Wrap("demo", groove.KindInternal, err)
	}
	log, err := os.OpenFile(filepath.Join(filepath.Dir(n.home), n.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return groove.Wrap("demo", groove.KindInternal, err)
	}
	n.proc, err = shim.Start(shim.Command{Dir: n.home, Stderr: log,
		Argv: []string{self, "--home", n.home, "--json", "start", "--foreground", "--set", "name=" + n.name, "--set", "api.port=0", "--set", "bridge.listen=" + bridge}})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	go func() { // ends with the daemon
		<-n.proc.Done()
		_ = log.Close()
	}()
	ready := make(chan error, 1)
	go func() { ready <- json.NewDecoder(n.proc.Stdout).Decode(&n.info) }()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return groove.Errorf("demo", groove.KindInternal, "%s did not start: %w %s", n.name, err, strings.TrimSpace(n.proc.Exit().Stderr))
	}
	n.client = api.NewClient(n.info.Socket)
	return nil
}

// freePort finds a port that is free on an address now, below those that the system
// gives out by itself: nobody else gets it by chance before the daemon does.
func freePort(ip string) (string, error) {
	var last error
	for range 100 {
		addr := net.JoinHostPort(ip, strconv.Itoa(20000+rand.IntN(12000)))
		l, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, groove.Wrap("demo", groove.KindInternal, l.Close())
		}
		last = err
	}
	return "", groove.Errorf("demo", groove.KindPortTaken, "no port is free on %s: %w", ip, last).WithFix("on macOS: sudo ifconfig lo0 alias 127.0.0.2")
}

func (d *demo) pair(ctx context.Context) error {
	inv, err := d.laptop.client.Invite(ctx, api.InviteRequest{For: []string{d.vps.ip}, Mine: true})
	if err != nil {
		return err
	}
	if _, err = d.vps.client.Pair(ctx, api.PairRequest{Invite: inv.Line, Mine: true}); err != nil {
		return err
	}
	d.printf("     laptop and vps hold each other's keys; the invite is spent\n")
	return nil
}

func (d *demo) spawn(ctx context.Context) error {
	for _, s := range []struct {
		on           *demoNode
		name, script string
	}{{d.vps, "backend", demoBackend}, {d.laptop, "frontend", demoFrontend}} {
		dir := filepath.Join(d.dir, s.name)
		file := filepath.Join(dir, "script.yaml")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return groove.Wrap("demo", groove.KindInternal, err)
		}
		if err := os.WriteFile(file, []byte(s.script), 0o600); err != nil {
			return groove.Wrap("demo", groove.KindInternal, err)
		}
		_, err := s.on.client.Spawn(ctx, api.SpawnRequest{Name: groove.AgentName(s.name), Program: "scripted", Script: file, Dir: dir, Role: s.name})
		if err != nil {
			return err
		}
		d.printf("     %s on %s\n", s.name, s.on.name)
	}
	return nil
}

func (d *demo) open(ctx context.Context) error {
	job, err := d.laptop.client.OpenJob(ctx, api.OpenRequest{Peer: d.vps.name, Title: "A todo list", Goal: "Agree on the API before either side builds.",
		Agents: []groove.AgentName{"frontend"}, PeerAgents: []groove.AgentName{"backend"}})
	if err != nil {
		return err
	}
	d.job = job.ID
	d.printf("     job %s\n", job.ID.Short())
	_, err = d.laptop.client.Send(ctx, api.MessageRequest{To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: "Agree with backend on the API of a todo list."}})
	return err
}

func (d *demo) hints(exit bool) {
	if exit {
		return
	}
	d.a.printf("\n   look around meanwhile, in another terminal:\n")
	self := os.Args[0]
	for _, n := range []*demoNode{d.laptop, d.vps} {
		d.a.printf("     %s --home %s status | agents | messages | federation bridge status | audit\n", self, n.home)
	}
	d.a.printf("     %s --home %s logs backend -f\n\n", self, d.vps.home)
}

// watch prints the transcript until the job is done, and returns it.
func (d *demo) watch() ([]groove.Mail, error) {
	ctx, cancel := context.WithTimeout(d.a.ctx, demoWait)
	defer cancel()
	f := api.MessageFilter{Job: string(d.job), Limit: 100}
	shown, number := map[groove.MessageID]string{}, map[groove.MessageID]int{}
	start := time.Now()
	for {
		page, err := d.laptop.client.Messages(ctx, f, 20*time.Second)
		if err != nil {
			return nil, err
		}
		for i := range page.Messages {
			m := &page.Messages[i]
			if number[m.ID] == 0 {
				number[m.ID] = len(number) + 1
			}
			d.line(m, number[m.ID], shown[m.ID], time.Since(start))
			shown[m.ID] = m.State
		}
		f.After = page.Next
		if done, err := d.done(ctx); err != nil || done {
			last, e := d.laptop.client.Messages(ctx, api.MessageFilter{Job: string(d.job), Limit: 100}, 0)
			return last.Messages, errors.Join(err, e)
		}
	}
}

// line prints a message that is new, and a step that it has come.
func (d *demo) line(m *groove.Mail, number int, before string, at time.Duration) {
	from, to := place(m.From, ""), place(m.To, m.PeerName)
	if m.Direction == "in" {
		from, to = place(m.From, m.PeerName), place(m.To, "")
	}
	if before == "" {
		d.a.printf("%6.2fs  #%d %s → %s: %s\n", at.Seconds(), number, from, to, plain(m.Text))
	}
	if m.State != before && m.State != string(groove.InDelivering) {
		d.a.printf("%6.2fs  #%d    %s\n", at.Seconds(), number, m.State)
	}
}

// done reports whether both sides have said that the job is complete.
func (d *demo) done(ctx context.Context) (bool, error) {
	for _, n := range []*demoNode{d.laptop, d.vps} {
		jobs, err := n.client.Jobs(ctx)
		if err != nil {
			return false, err
		}
		for _, j := range jobs {
			if j.ID == d.job && j.Legs[0].State != groove.LegClosed {
				return false, nil
			}
		}
	}
	return true, nil
}

// verdict holds what was seen against what was promised. The message that ends the
// talk asks for no answer: its turn must have run.
func (d *demo) verdict(mails []groove.Mail) error {
	ctx, cancel := context.WithTimeout(d.a.ctx, demoWait)
	defer cancel()
	answered := 0
	for i := range mails {
		if m := &mails[i]; m.State == string(groove.OutAnswered) {
			answered++
		} else if i != len(mails)-1 || m.State != string(groove.OutStarted) {
			return groove.Errorf("demo", groove.KindInternal, "message %s from %s is %s, not answered", m.ID, m.From, m.State)
		}
	}
	if len(mails) < 4 {
		return groove.Errorf("demo", groove.KindInternal, "%d messages crossed, more were expected", len(mails))
	}
	for _, n := range []*demoNode{d.laptop, d.vps} {
		if _, err := n.client.VerifyAudit(ctx); err != nil {
			return err
		}
	}
	d.a.printf("\n%d messages: %d answered, the last one read. The job is complete on both sides, both records verify.\n", len(mails), answered)
	return nil
}

// end stops both daemons as Ctrl-C would, and waits.
func (d *demo) end() {
	var wait sync.WaitGroup
	for _, n := range []*demoNode{d.laptop, d.vps} {
		if n.proc == nil {
			continue
		}
		wait.Go(func() {
			_ = syscall.Kill(n.proc.Program, syscall.SIGTERM) // it may have ended
			select {
			case <-n.proc.Done():
			case <-time.After(demoWait):
				n.proc.Kill()
				<-n.proc.Done()
			}
		})
	}
	wait.Wait()
}
