package confine

import (
	"context"
	"os"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

func tree(r *api.SpawnRequest) { r.Worktree = true }

func (p *place) trees() []api.AgentWorktree {
	p.T.Helper()
	list, err := p.Client.Worktrees(p.T.Context())
	if err != nil {
		p.T.Fatal(err)
	}
	return list
}

func (p *place) kill(agent string) {
	p.T.Helper()
	if _, err := p.Client.Kill(p.T.Context(), agent); err != nil {
		p.T.Fatal(err)
	}
}

func TestAnAgentWorksInItsOwnWorktree(t *testing.T) {
	p := newPlace(t)
	p.write("home/shop/web/w.ts", "the user's, not committed")
	a := p.mustSpawn("back", echo, tree)
	want := p.Home + "/worktrees/shop/back"
	if a.Dir != want || a.Worktree == nil || a.Worktree.Branch != "groove/back" || a.Worktree.Repo != p.repo || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "not committed") {
		t.Errorf("spawned %+v, warnings %q", a.Worktree, a.Warnings)
	}
	p.turn("back", "run cat web/w.ts && echo two > api/a.go && git commit -qam two 2>&1")
	if got := p.git(p.repo, "log", "-1", "--format=%s", "groove/back"); got != "two" {
		t.Errorf("the branch has %q", got)
	}
	if got := p.git(p.repo, "status", "--porcelain"); got != "M web/w.ts" {
		t.Errorf("the user's checkout has %q", got)
	}
	if _, err := p.Client.RemoveWorktree(t.Context(), "back", true); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("the worktree of a living agent was removed: %v", err)
	}

	// It is the same agent in the same place after a crash.
	p.Kill()
	p.Start()
	if said := p.turn("back", "run pwd"); !strings.Contains(said, want) {
		t.Errorf("after the crash it works in %q", said)
	}

	// What it made is kept at its end, also over a start.
	p.turn("back", "write left")
	p.kill("back")
	p.Stop()
	p.Start()
	list := p.trees()
	if len(list) != 1 || list[0].Agent != "back" || list[0].Living || !list[0].Exists || list[0].Changed == 0 || list[0].Commits != 1 {
		t.Fatalf("worktrees %+v", list)
	}
	if _, err := p.Client.RemoveWorktree(t.Context(), "back", false); groove.KindOf(err) != groove.KindConflict || !strings.Contains(err.Error(), "not committed") {
		t.Errorf("files that are not committed were thrown away: %v", err)
	}
	r, err := p.Client.RemoveWorktree(t.Context(), "back", true)
	if err != nil || r.Branch != "groove/back" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := os.Stat(want); err == nil {
		t.Error("the worktree is left")
	}
	if got := p.git(p.repo, "log", "-1", "--format=%s", "groove/back"); got != "two" {
		t.Errorf("a commit was thrown away: %q", got)
	}
}

func TestAWorktreeWithNothingInItGoesWithItsAgent(t *testing.T) {
	p := newPlace(t)
	a := p.mustSpawn("idle", "default: [{say: nothing}]", tree)
	p.kill("idle")
	p.Until("the worktree to go", func(context.Context) (bool, error) {
		_, err := os.Stat(a.Worktree.Path)
		return os.IsNotExist(err) && p.git(p.repo, "branch", "--list", "groove/*") == "", nil
	})
	if list := p.trees(); len(list) != 0 {
		t.Errorf("listed: %+v", list)
	}
}

func TestAFailedSpawnLeavesNoWorktree(t *testing.T) {
	p := newPlace(t)
	clean := func(why string) {
		t.Helper()
		if got := p.git(p.repo, "worktree", "list"); strings.Contains(got, "\n") {
			t.Errorf("%s: a worktree is left: %s", why, got)
		}
		if got := p.git(p.repo, "branch", "--list", "groove/*"); got != "" {
			t.Errorf("%s: a branch is left: %s", why, got)
		}
		if _, err := os.Stat(p.Home + "/worktrees/shop"); err == nil {
			t.Errorf("%s: a folder is left", why)
		}
	}
	if _, err := p.spawn("back", "die_at: new", tree); groove.KindOf(err) != groove.KindProgramFailed {
		t.Errorf("a program that dies: %v", err)
	}
	p.Until("the worktree of the program that died to go", func(context.Context) (bool, error) {
		return p.git(p.repo, "branch", "--list", "groove/*") == "", nil
	})
	clean("the program died")
	if _, err := p.spawn("back", echo, func(r *api.SpawnRequest) { r.Worktree, r.Dir = true, p.home }); groove.KindOf(err) != groove.KindConflict || !strings.Contains(err.Error(), "no git repository") {
		t.Errorf("no repository: %v", err)
	}
	p.git(p.repo, "branch", "groove/taken")
	if _, err := p.spawn("taken", echo, tree); groove.KindOf(err) != groove.KindConflict || !strings.Contains(err.Error(), "groove/taken exists") {
		t.Errorf("a branch that exists: %v", err)
	}
	p.git(p.repo, "branch", "-D", "groove/taken")
	a := p.mustSpawn("back", echo, tree)
	if _, err := p.spawn("back", echo, tree); groove.KindOf(err) != groove.KindNameTaken {
		t.Errorf("the name is taken: %v", err)
	}
	if _, err := os.Stat(a.Worktree.Path + "/.git"); err != nil {
		t.Error("a spawn that was refused took the worktree of the agent that lives")
	}
}

// A daemon that dies while a worktree's agent starts brings the agent back in it; the worktree
// goes with the agent.
func TestACrashWhileItStartsKeepsTheWorktree(t *testing.T) {
	p := newPlace(t)
	path := p.Home + "/worktrees/shop/back"
	if _, err := p.API().Begin(t.Context(), api.SpawnRequest{Name: "back", Program: "silent", Dir: p.repo, Worktree: true}); err != nil {
		t.Fatal(err)
	}
	p.Until("the program to start", func(context.Context) (bool, error) {
		_, err := os.Stat(path + "/started")
		return err == nil, nil
	})
	p.Kill()
	if err := os.Remove(path + "/started"); err != nil {
		t.Fatal(err)
	}
	p.Start()
	p.Until("it to start again in its worktree", func(context.Context) (bool, error) {
		_, err := os.Stat(path + "/started")
		return err == nil, nil
	})
	if err := os.Remove(path + "/started"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.API().Kill(t.Context(), "back"); err != nil {
		t.Fatal(err)
	}
	p.Until("the worktree to go with it", func(context.Context) (bool, error) {
		_, err := os.Stat(path)
		return os.IsNotExist(err) && p.git(p.repo, "branch", "--list", "groove/*") == "", nil
	})
	p.mustSpawn("back", echo, tree)
}
