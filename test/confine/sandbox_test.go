package confine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/sandbox"
)

// held reports whether the kernel here can hold a sandbox. Where it cannot, it sees that the spawn is
// refused, and says that the rest was not tested.
func held(p *place) bool {
	p.T.Helper()
	err := sandbox.Check()
	if err == nil {
		return true
	}
	p.T.Logf("NOT TESTED HERE: what the sandbox holds, because %v", err)
	if _, err := p.spawn("back", echo, boxed); groove.KindOf(err) != groove.KindSandboxUnavailable || groove.AsError(err).Fix == "" {
		p.T.Errorf("a sandbox that the kernel cannot hold: %v", err)
	}
	return false
}

func boxed(r *api.SpawnRequest) { r.Sandbox = true }

// try has the agent run shell commands, each alone, and compares how they end.
func (p *place) try(agent string, rows [][3]string) {
	p.T.Helper()
	for _, row := range rows {
		said := p.turn(agent, "run ( "+row[0]+" ) >/dev/null 2>&1 && echo outcome ok || echo outcome refused")
		_, got, _ := strings.Cut(said, "outcome ")
		if got, _, _ = strings.Cut(got, "\n"); got != row[1] {
			p.T.Errorf("%s: %q, want %s: %s", row[0], said, row[1], row[2])
		}
	}
}

func TestSandbox(t *testing.T) {
	p := newPlace(t)
	if !held(p) {
		return
	}
	p.mustSpawn("back", strings.Replace(echo, "default: [", `default: [{tool: {name: groove_agents, args: {}}}, {say: "{{.Result}}"}, `, 1), func(r *api.SpawnRequest) { r.Sandbox, r.Worktree = true, true })
	if a := p.agent("back"); !a.Sandbox {
		t.Error("the agent does not show its sandbox")
	}
	check := func() {
		t.Helper()
		p.try("back", [][3]string{
			{"echo x > new", "ok", "its directory"},
			{"echo x > $TMPDIR/new", "ok", "temporary files"},
			{"ls /usr/bin", "ok", "the system"},
			{"cat " + p.home + "/.ssh/id", "refused", "the user's keys"},
			{"echo x > " + p.home + "/.ssh/id", "refused", "the user's keys"},
			{"cat " + p.Home + "/identity/ed25519.key", "refused", "the daemon's key"},
			{"echo x > " + p.repo + "/api/a.go", "refused", "the user's checkout"},
			{"echo x >> " + p.repo + "/.git/config", "refused", "what the user's git obeys"},
			{"echo x > " + p.repo + "/.git/hooks/pre-commit", "refused", "what the user's git runs"},
			{"sh -c 'sh -c \"cat " + p.home + "/.ssh/id\"'", "refused", "children of children"},
			{"git add . && git commit -q --allow-empty -m work", "ok", "a commit in its worktree"},
		})
	}
	check()
	if said := p.turn("back", "look"); !strings.Contains(said, "You are back.") {
		t.Errorf("groove's tools do not answer inside: %q", said)
	}
	if b, err := os.ReadFile(p.home + "/.ssh/id"); err != nil || string(b) != "the key" {
		t.Errorf("the key: %q, %v", b, err)
	}
	p.Kill()
	p.Start()
	check() // the program that comes back is held too
}

// What a sandboxed agent leaves in its repository cannot act through the daemon's own look at it.
func TestTheDaemonsGitIsHeld(t *testing.T) {
	p := newPlace(t)
	if !held(p) {
		return
	}
	p.mustSpawn("back", echo, func(r *api.SpawnRequest) { r.Sandbox, r.Scope = true, []string{"api/**"} })
	ran := filepath.Join(p.root, "ran")
	p.turn("back", "run git config filter.x.clean 'touch "+ran+"; cat' && echo '*.ts filter=x' > web/.gitattributes && printf two > web/w.ts") // of the same size: git has to look inside
	p.Until("the finding", func(context.Context) (bool, error) { id, _ := p.breach(); return id != "", nil })
	if _, err := os.Stat(ran); err == nil {
		t.Error("the daemon ran the agent's filter outside the sandbox")
	}
	// A look outside does run it: the test can fail.
	p.git(p.repo, "status")
	if _, err := os.Stat(ran); err != nil {
		t.Error("git ran no filter: this test shows nothing")
	}
}

func TestSandboxRefuses(t *testing.T) {
	p := newPlace(t)
	if !held(p) {
		return
	}
	if err := os.Symlink(p.repo, p.home+"/link"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, dir, why string }{
		{"home", p.home, "holds your home"},
		{"daemon", filepath.Dir(p.Home), "groove's home"},
	} {
		_, err := p.spawn(row.name, echo, func(r *api.SpawnRequest) { r.Sandbox, r.Dir = true, row.dir; r.Env = append(r.Env, "HOME="+p.home) })
		if groove.KindOf(err) != groove.KindInvalid || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", row.dir, err)
		}
	}
	a := p.mustSpawn("linked", echo, func(r *api.SpawnRequest) { r.Sandbox, r.Dir = true, p.home+"/link" })
	if a.Dir != p.repo {
		t.Errorf("a link stays a link: %s", a.Dir)
	}
}
