package confine

import (
	"context"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// echo writes what it is told to, and says all that it was told, groove's own words too.
const echo = `
rules:
  - {on: "write (\\S+)", do: [{write: {path: "{{.Submatch 1}}", text: "new"}}, {say: "[{{.Prompt}}]"}]}
  - {on: "run (.*)", do: [{run: "{{.Submatch 1}}"}, {say: "[{{.Prompt}}]"}]}
default: [{say: "[{{.Prompt}}]"}]
`

func TestChangesOutsideTheScopeAreTold(t *testing.T) {
	p := newPlace(t)
	p.write("home/shop/web/dirty", "the user's, before the agent came")
	p.mustSpawn("back", echo, func(r *api.SpawnRequest) { r.Scope = []string{"api/"} })
	if a := p.agent("back"); !slices.Equal(a.Scope, []string{"api/**"}) {
		t.Errorf("scope %q", a.Scope)
	}

	p.turn("back", "write api/new.go")
	if id, _ := p.breach(); id != "" {
		t.Fatal("a change inside the scope is a breach")
	}
	p.turn("back", "write web/bad.ts")
	p.Until("a question on the scope", func(context.Context) (bool, error) { id, _ := p.breach(); return id != "", nil })
	first, d := p.breach()
	if d.Agent != "back" || !slices.Equal(d.Paths, []string{"web/bad.ts"}) || len(d.Turns) != 1 {
		t.Errorf("the question tells %+v", d)
	}
	if a := p.agent("back"); a.Outside != 1 {
		t.Errorf("the agent shows %d outside", a.Outside)
	}

	// The agent hears of it before its next turn, which commits another file.
	said := p.turn("back", "run echo x > 'web/with blank.ts' && git add web && git commit -qm bad 2>&1")
	if !strings.Contains(said, "(groove) In your last turn files outside your scope (api/**) were changed: web/bad.ts. Your user has been told.") {
		t.Errorf("the agent was told %q", said)
	}
	p.Until("both in one question", func(context.Context) (bool, error) {
		id, d := p.breach()
		return id != first && id != "" && len(d.Turns) == 2, nil
	})
	id, d := p.breach()
	// dirty was committed with the rest: it is the agent's change now.
	slices.Sort(d.Paths)
	if want := []string{"web/bad.ts", "web/dirty", "web/with blank.ts"}; !slices.Equal(d.Paths, want) {
		t.Errorf("paths %q, want %q", d.Paths, want)
	}

	// The user's word reaches the agent, once.
	if _, err := p.Client.Answer(t.Context(), id, api.AnswerRequest{Answer: "reject"}); err != nil {
		t.Fatal(err)
	}
	if a := p.agent("back"); a.Outside != 0 {
		t.Errorf("answered, and %d are still shown", a.Outside)
	}
	if said := p.turn("back", "go on"); !strings.Contains(said, "Your user wants the changes outside your scope taken back") || !strings.Contains(said, `"web/with blank.ts"`) {
		t.Errorf("the agent was told %q", said)
	}
	if said := p.turn("back", "go on"); strings.Contains(said, "outside your scope") {
		t.Errorf("the agent was told again: %q", said)
	}
	if id, _ := p.breach(); id != "" {
		t.Error("turns that change nothing are breaches")
	}
}

func TestScopesThatOverlapAreWarnedOf(t *testing.T) {
	p := newPlace(t)
	in := func(globs ...string) func(*api.SpawnRequest) {
		return func(r *api.SpawnRequest) { r.Scope = globs }
	}
	for _, row := range []struct {
		name  string
		edit  func(*api.SpawnRequest)
		warns []string
	}{
		{"api", in("api/**"), nil},
		{"web", in("web/**"), nil},
		{"go", in("**/*.go"), []string{"api", "web"}},
		{"part", func(r *api.SpawnRequest) { r.Dir += "/api" }, []string{"api", "go"}},
		{"tree", func(r *api.SpawnRequest) { r.Worktree = true }, nil},
	} {
		a := p.mustSpawn(row.name, echo, row.edit)
		warnings := slices.DeleteFunc(slices.Clone(a.Warnings), func(w string) bool { return !strings.Contains(w, "overlaps") })
		if len(warnings) != len(row.warns) {
			t.Errorf("%s: %q", row.name, a.Warnings)
			continue
		}
		for i, other := range row.warns {
			if !strings.Contains(warnings[i], "overlaps that of "+other+",") {
				t.Errorf("%s: %q", row.name, warnings[i])
			}
		}
	}
	if a := p.agent("go"); a.Warnings != nil {
		t.Errorf("warnings are of the spawn alone: %q", a.Warnings)
	}
	if _, err := p.spawn("bad", echo, in("../out/**")); groove.KindOf(err) != groove.KindInvalid || !strings.Contains(err.Error(), "../out") {
		t.Errorf("a scope that leads out: %v", err)
	}
}
