package confine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/api"
	"groove/internal/groove"
)

// changed lists what the API says of an agent's directory.
func (p *place) changed(agent string) []string {
	p.T.Helper()
	c, err := p.Client.Changes(p.T.Context(), agent)
	if err != nil {
		p.T.Fatal(err)
	}
	out := []string{}
	for _, f := range c.Files {
		line := fmt.Sprintf("%s +%d -%d %s", f.Status, f.Additions, f.Deletions, f.Path)
		if f.Outside {
			line += " outside"
		}
		out = append(out, line)
	}
	return out
}

func TestWhatAnAgentChangedIsShown(t *testing.T) {
	p := newPlace(t)
	p.mustSpawn("back", echo, func(r *api.SpawnRequest) { r.Scope = []string{"api/"} })
	if got := p.changed("back"); len(got) != 0 {
		t.Errorf("before it did anything: %v", got)
	}
	p.turn("back", "write api/a.go")
	p.turn("back", "write web/bad.ts")
	if diff := cmp.Diff([]string{"modified +1 -1 api/a.go", "untracked +1 -0 web/bad.ts outside"}, p.changed("back")); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]string{"api/a.go": "\n-one\n", "web/bad.ts": "\n+new\n"} {
		if d, err := p.Client.Diff(t.Context(), "back", path); err != nil || !strings.Contains(d.Diff, want) || d.Path != path || d.More {
			t.Errorf("%s: %+v, %v", path, d, err)
		}
	}
	for _, path := range []string{"../.ssh/id", p.home + "/.ssh/id", "/etc/passwd", "api/../../.ssh/id"} {
		if d, err := p.Client.Diff(t.Context(), "back", path); groove.KindOf(err) != groove.KindInvalid || d.Diff != "" {
			t.Errorf("%s: %+v, %v", path, d, err)
		}
	}
	b, err := p.Client.Briefing(t.Context(), "back")
	if err != nil || !strings.Contains(b.Text, "back") || !strings.Contains(b.Text, "api/**") {
		t.Errorf("the briefing is %q, %v", b.Text, err)
	}
}

// What other parts of the repository hold is not an agent's, unless it was found out there.
func TestOfTheRestOfTheRepositoryOnlyWhatWasFound(t *testing.T) {
	p := newPlace(t)
	p.write("home/shop/web/dirty", "the user's\n")
	p.mustSpawn("back", echo, func(r *api.SpawnRequest) { r.Dir = p.repo + "/api" })
	p.turn("back", "write a.go")
	if diff := cmp.Diff([]string{"modified +1 -1 a.go"}, p.changed("back")); diff != "" {
		t.Error(diff)
	}
	if d, err := p.Client.Diff(t.Context(), "back", p.repo+"/web/dirty"); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("%+v, %v", d, err)
	}
	p.turn("back", "write ../web/bad.ts")
	p.Until("a question on the scope", func(context.Context) (bool, error) { id, _ := p.breach(); return id != "", nil })
	bad := p.repo + "/web/bad.ts"
	if diff := cmp.Diff([]string{"modified +1 -1 a.go", "untracked +1 -0 " + bad + " outside"}, p.changed("back")); diff != "" {
		t.Error(diff)
	}
	if d, err := p.Client.Diff(t.Context(), "back", bad); err != nil || !strings.Contains(d.Diff, "\n+new\n") {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestAWorktreeShowsWhatItsBranchHas(t *testing.T) {
	p := newPlace(t)
	p.mustSpawn("back", echo, func(r *api.SpawnRequest) { r.Worktree = true })
	p.turn("back", "write api/new.go")
	p.turn("back", "run git add -A && git commit -qm new")
	p.write("home/shop/web/dirty", "the user's, in the repository's own place")
	if diff := cmp.Diff([]string{"added +1 -0 api/new.go"}, p.changed("back")); diff != "" {
		t.Error(diff)
	}
	if d, err := p.Client.Diff(t.Context(), "back", "api/new.go"); err != nil || !strings.Contains(d.Diff, "\n+new\n") {
		t.Errorf("%+v, %v", d, err)
	}
	p.mustSpawn("none", echo, func(r *api.SpawnRequest) { r.Dir = p.home })
	if _, err := p.Client.Changes(t.Context(), "none"); groove.KindOf(err) != groove.KindConflict || !strings.Contains(err.Error(), "no git repository") {
		t.Errorf("no repository: %v", err)
	}
}
