package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"groove/internal/api"
	"groove/internal/driver/programs"
	"groove/internal/driver/shim"
	"groove/internal/groove"
)

const (
	// testTime bounds a test that says nothing else: a first start on a slow machine and one turn.
	testTime = 3 * time.Minute
	// testTool is the tool that a program under test is asked to call: it changes nothing.
	testTool = "groove_agents"
	// saidBytes is how much of what the model said is told when it called nothing.
	saidBytes = 300
	// mostAsks bounds what is kept of a program's questions.
	mostAsks = 100
)

// playTest is what the scripted program plays when no script is said.
const playTest = "default:\n  - tool: {name: " + testTool + "}\n  - say: \"{{.Result}}\"\n"

// TestProgram is api.Doctor: a real turn of a program in a folder of its own. Nothing of
// it is left when it returns; when ctx ends, its processes are killed.
func (d *daemon) TestProgram(ctx context.Context, name string, r api.ProgramTestRequest) (api.ProgramTest, error) {
	p, err := d.profile(name)
	if err != nil {
		return api.ProgramTest{}, err
	}
	for _, path := range []string{r.Dir, r.Script} {
		if path != "" && !filepath.IsAbs(path) {
			return api.ProgramTest{}, groove.Errorf("test program", groove.KindInvalid, "%q is not an absolute path", path)
		}
	}
	one, err := d.trials.begin(ctx)
	if err != nil {
		return api.ProgramTest{}, err
	}
	defer d.trials.end(one)
	own, err := os.MkdirTemp("", "groove-test-*")
	if err != nil {
		return api.ProgramTest{}, groove.Wrap("test program", groove.KindInternal, err)
	}
	defer func() {
		if err := os.RemoveAll(own); err != nil {
			d.log.Warn("folder of a program's test not removed", "dir", own, "err", err)
		}
	}()
	run := &trialRun{d: d, p: p, r: r, one: one, own: own, limit: testTime}
	if r.Timeout > 0 {
		run.limit = time.Duration(r.Timeout) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, run.limit)
	defer cancel()
	run.play(ctx)
	return run.steps.result(name), nil
}

// trialRun is the course of one test.
type trialRun struct {
	d     *daemon
	p     programs.Profile
	r     api.ProgramTestRequest
	one   *trial
	own   string // a folder for this test alone
	limit time.Duration
	steps steps

	mu      sync.Mutex
	said    strings.Builder
	refused []string // what it asked for beside the tool
}

func (t *trialRun) play(ctx context.Context) {
	l, err := t.launch(ctx)
	if err != nil {
		t.fail(ctx, err)
		return
	}
	sess, err := t.d.driver.Start(ctx, l)
	if err != nil {
		t.fail(ctx, err)
		t.steps.skip(api.StepStopped, "a start that fails leaves nothing running")
		return
	}
	t.steps.begin("")
	if l.Mode == "" {
		t.steps.skip(api.StepMode, t.noMode())
	}
	t.turn(ctx, sess)
	t.steps.begin(api.StepStopped)
	stop, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	sess.Stop(stop)
	t.steps.detail(exitText(sess.Exit()))
}

// noMode says what stands in for a safe mode.
func (t *trialRun) noMode() string {
	switch {
	case len(t.p.SafeEnv) > 0:
		return "its environment makes it ask"
	case t.p.Asks == programs.Yes:
		return "it has none, and asks"
	}
	return "it has none, and never asks"
}

// launch finds the program and says how it is started.
func (t *trialRun) launch(ctx context.Context) (groove.Launch, error) {
	t.steps.begin(api.StepFound)
	dir, env := t.own, append([]string{}, t.p.TestEnv...)
	if t.r.Dir != "" {
		dir, env = t.r.Dir, nil
	}
	env = t.p.Environ(true, append(env, t.r.Env...)...)
	args, err := t.script()
	if err != nil {
		return groove.Launch{}, err
	}
	f := t.d.checker.Look(ctx, t.p, env)
	if f.Err != nil {
		return groove.Launch{}, f.Err
	}
	argv, err := t.d.checker.Argv(ctx, t.p, env, args...)
	if err != nil {
		return groove.Launch{}, err
	}
	t.steps.detail(strings.TrimSpace(f.Path + " " + f.Version))
	l := launchOf(t.p)
	l.Agent, l.Argv, l.Env, l.Dir, l.Mark = t.one.name, argv, env, dir, t.d.mark
	l.MCPURL, l.Token, l.Mode, l.Model = t.d.server.MCPURL(), t.one.token, t.p.SafeMode, t.r.Model
	if dir, ok := shim.NewCgroup(t.d.cgroupPrefix() + string(t.one.name)); ok {
		l.Cgroup = dir
	}
	l.Progress = func(step groove.LaunchStep) { t.steps.begin(driverSteps[step]) }
	l.Update, l.Ask = t.heard, t.asked
	return l, nil
}

// script is what the scripted program is given to play.
func (t *trialRun) script() ([]string, error) {
	file := t.r.Script
	switch {
	case !t.p.Self && file != "":
		return nil, groove.Errorf("test program", groove.KindInvalid, "%s plays no script", t.p.Name)
	case !t.p.Self:
		return nil, nil
	case file == "":
		file = filepath.Join(t.own, "script.yaml")
		if err := os.WriteFile(file, []byte(playTest), 0o600); err != nil {
			return nil, groove.Wrap("test program", groove.KindInternal, err)
		}
	}
	return []string{"--script", file}, nil
}

// heard keeps what the model says, for when it calls nothing.
func (t *trialRun) heard(u groove.Update) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.Kind == groove.UpdateAgentText && t.said.Len() < saidBytes {
		t.said.WriteString(u.Text)
	}
}

// asked refuses all: nobody is there to be asked, and the driver itself answers for
// groove's own tools.
func (t *trialRun) asked(_ context.Context, q groove.PermissionAsk) string {
	t.mu.Lock()
	if len(t.refused) < mostAsks {
		t.refused = append(t.refused, cmp.Or(q.Title, q.Kind, "something"))
	}
	t.mu.Unlock()
	for _, kind := range []string{"reject_once", "reject_always"} {
		for _, o := range q.Options {
			if o.Kind == kind {
				return o.ID
			}
		}
	}
	return ""
}

// turn runs the one turn. It returns when that is over.
func (t *trialRun) turn(ctx context.Context, sess groove.ProgramSession) {
	text := "This is a test of the connection between you and groove. Call the tool " + t.p.ToolName(testTool) +
		" once, without arguments, and then answer in one short sentence. Some programs show such a tool only to a search among tools: then search for it. " +
		"Do nothing else: read, write and run nothing."
	t.steps.begin(api.StepPrompt)
	written, over := make(chan struct{}), make(chan error, 1)
	go func() { // its end is awaited below
		r, err := sess.Prompt(ctx, text, func() { close(written) })
		if err == nil && r.Stop != "end_turn" {
			err = groove.Errorf("test program", groove.KindProgramFailed, "its turn ended with %q", groove.CleanLabel(r.Stop, 60))
		}
		over <- err
	}()
	select {
	case <-written:
		t.steps.begin(api.StepTool)
	case err := <-over: // with the line written: both came at once
		select {
		case <-written:
			t.steps.begin(api.StepTool)
		default:
		}
		t.turnEnded(ctx, err)
		return
	}
	select {
	case <-t.one.called:
		t.steps.begin(api.StepEnded)
		t.turnEnded(ctx, <-over)
	case err := <-over:
		t.turnEnded(ctx, err)
	}
}

// turnEnded settles the step in which the turn's end, or its failure, was met.
func (t *trialRun) turnEnded(ctx context.Context, err error) {
	if t.steps.under() == api.StepTool {
		select {
		case <-t.one.called: // both came at once
			t.steps.begin(api.StepEnded)
		default:
			if err == nil {
				err = t.notCalled()
			}
		}
	}
	if err != nil {
		t.fail(ctx, err)
		return
	}
	t.steps.begin("")
}

// notCalled says what the model did in place of calling the tool.
func (t *trialRun) notCalled() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	why := "the turn ended without a call of " + testTool
	if len(t.refused) > 0 {
		why += "; it asked for something else, which was refused: " + groove.CleanLabel(strings.Join(t.refused, ", "), saidBytes)
	}
	if said := groove.CleanLabel(t.said.String(), saidBytes); said != "" {
		why += "; it said: " + said
	}
	return groove.Errorf("test program", groove.KindProgramFailed, "%s", why).WithFix(cmp.Or(t.p.ToolsHint, "see whether the program shows groove's tools to its model (docs/programs.md)"))
}

// fail ends the step under way with err, or with the end of the test's time.
func (t *trialRun) fail(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = groove.Errorf("test program", groove.KindTimeout, "the test's %v ended in this step", t.limit).WithFix("groove programs test " + t.p.Name + " --timeout with more seconds")
	}
	t.steps.fail(err)
}

func exitText(x groove.Exit) string {
	if x.Signal != "" {
		return "ended by " + x.Signal
	}
	return fmt.Sprintf("exit code %d", x.Code)
}
