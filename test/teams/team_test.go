package teams

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/teamfile"
)

const example = "../../docs/examples/two-machines/"

// scripted reads a team's file and has the scripted program play each of its agents.
func (w world) scripted(file string, scripts map[groove.AgentName]string) api.TeamRequest {
	w.T.Helper()
	r, err := teamfile.Read(file)
	if err != nil {
		w.T.Fatal(err)
	}
	for i := range r.Agents {
		a := &r.Agents[i]
		script := scripts[a.Name]
		if script == "" {
			script = quiet
		}
		played := w.request(string(a.Name), script)
		a.Program, a.Script, a.Env, a.Dir = played.Program, played.Script, played.Env, played.Dir
	}
	return r
}

// The example of docs/teams.md, as it stands there but for the program.
func TestTwoMachines(t *testing.T) {
	laptop, server := two(t, true)
	up, err := server.Client.TeamUp(t.Context(), server.scripted(example+"server.toml", map[groove.AgentName]string{"backend": backend}))
	if err != nil || len(up.Agents) != 2 || len(up.Warnings) != 0 {
		t.Fatalf("%+v, %v", up, err)
	}
	up, err = laptop.Client.TeamUp(t.Context(), laptop.scripted(example+"laptop.toml", map[groove.AgentName]string{"ambassador-1": relay, "frontend": asker}))
	if err != nil || len(up.Agents) != 3 {
		t.Fatalf("%+v, %v", up, err)
	}
	for _, s := range up.Agents {
		if s.Problem != nil || s.Agent == nil || s.Agent.Team != "pages" || s.Agent.Instructions == "" {
			t.Errorf("%s: %+v, %+v", s.Name, s.Problem, s.Agent)
		}
	}
	job := laptop.open(*up.Agents[2].Agent)
	if job.Title != "Todos: pages and API" || !strings.HasPrefix(job.Goal, "Agree with the server") || len(job.Legs[0].PeerAgents) != 2 {
		t.Errorf("%+v", job)
	}
	laptop.idle("frontend")
	laptop.tell("frontend", "send ambassador-1 for backend@server: fields of GET /todos?")
	laptop.sees("frontend", "from the server: id, title")

	team, err := laptop.Client.Team(t.Context(), "pages")
	if err != nil || team.Alive != 3 || len(team.Jobs) != 1 {
		t.Errorf("%+v, %v", team, err)
	}
	if team, err = laptop.Client.TeamDown(t.Context(), "pages"); err != nil || team.Alive != 0 {
		t.Errorf("%+v, %v", team, err)
	}
	if _, err := server.Client.TeamDown(t.Context(), "api"); err != nil {
		t.Fatal(err)
	}
	laptop.state(job.ID, groove.LegClosed)
}

func TestTeamIsCheckedBeforeItStarts(t *testing.T) {
	w := newWorld(t, "laptop", "127.0.0.1")
	w.spawn("old", quiet)
	if _, err := w.Client.Kill(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	w.spawn("busy", quiet)
	for _, row := range []struct {
		why, says string
		kind      groove.Kind
		edit      func(*api.SpawnRequest)
	}{
		{"a name twice", "twice", groove.KindNameTaken, func(r *api.SpawnRequest) { r.Name = "good" }},
		{"a name of a living agent", "busy", groove.KindNameTaken, func(r *api.SpawnRequest) { r.Name = "busy" }},
		{"a name of an ended one", "killed", groove.KindNameTaken, func(r *api.SpawnRequest) { r.Name = "old" }},
		{"a name that is the user's", "user", groove.KindInvalid, func(r *api.SpawnRequest) { r.Name = "user" }},
		{"a role that is none", "wizard", groove.KindRoleUnknown, role("wizard")},
		{"a program that is none", "nosuch", groove.KindProgramUnknown, func(r *api.SpawnRequest) { r.Program = "nosuch" }},
		{"a folder that is not there", "no directory", groove.KindInvalid, func(r *api.SpawnRequest) { r.Dir = filepath.Join(r.Dir, "no") }},
		{"a script that is not there", "script", groove.KindInvalid, func(r *api.SpawnRequest) { r.Script = "/no/script" }},
		{"a scope that leads out", "..", groove.KindInvalid, scope("../x")},
		{"a peer that is not paired", "nobody", groove.KindPeerUnknown, linked("nobody", "x")},
	} {
		r := api.TeamRequest{Name: "shop", Agents: []api.SpawnRequest{w.request("good", quiet), w.request("bad", quiet, row.edit)}}
		_, err := w.Client.TeamUp(t.Context(), r)
		if groove.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "nothing was started") {
			t.Errorf("%s: %v, want %s %q", row.why, err, row.kind, row.says)
		}
	}
	all, err := w.Client.Agents(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%d agents, %v: a team that is refused has started some", len(all), err)
	}
	two := api.TeamRequest{Name: "shop", Agents: []api.SpawnRequest{w.request("a", quiet, role("x")), w.request("b", quiet, role("y"))}}
	if _, err := w.Client.TeamUp(t.Context(), two); err == nil || !strings.Contains(err.Error(), `"x"`) || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("not all faults are told at once: %v", err)
	}
}

const dies = "die_at: new\n"

func TestTeamWithOneThatDoesNotStart(t *testing.T) {
	w := newWorld(t, "laptop", "127.0.0.1")
	r := api.TeamRequest{Name: "shop", Agents: []api.SpawnRequest{w.request("good", quiet, scope("web/**")), w.request("bad", dies), w.request("also", quiet, scope("web/app/*"))}}
	up, err := w.Client.TeamUp(t.Context(), r)
	if err != nil || up.Ended || up.Agents[0].Problem != nil || up.Agents[1].Problem == nil || up.Agents[1].Problem.Kind != groove.KindProgramFailed {
		t.Fatalf("%+v, %v", up, err)
	}
	if len(up.Warnings) != 1 || !strings.Contains(up.Warnings[0], "good and also may change the same files") {
		t.Errorf("warnings %q", up.Warnings)
	}
	if team, err := w.Client.Team(t.Context(), "shop"); err != nil || team.Alive != 2 {
		t.Errorf("the others do not stay: %+v, %v", team, err)
	}
	if _, err := w.Client.TeamUp(t.Context(), r); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("a team that is up starts again: %v", err)
	}
	if _, err := w.Client.TeamDown(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	r.Number, r.AllOrNothing = true, true
	up, err = w.Client.TeamUp(t.Context(), r)
	if err != nil || !up.Ended || up.Agents[0].Name != "good-2" {
		t.Fatalf("%+v, %v", up, err)
	}
	team, err := w.Client.Team(t.Context(), "shop")
	if err != nil || team.Alive != 0 {
		t.Errorf("all or nothing leaves some: %+v, %v", team, err)
	}
	r.Agents = slices.Delete(r.Agents, 1, 2)
	if up, err = w.Client.TeamUp(t.Context(), r); err != nil || up.Ended || up.Agents[0].Name != "good-3" || up.Agents[0].Problem != nil {
		t.Errorf("%+v, %v", up, err)
	}
	if _, err := w.Client.Team(t.Context(), "nosuch"); groove.KindOf(err) != groove.KindTeamUnknown {
		t.Error(err)
	}
}

// Between the commit of an agent and that of its job the daemon may be killed: the next
// start opens the job, once, under the ID that was kept with the agent.
func TestLinkAfterKill(t *testing.T) {
	laptop, server := two(t, true)
	server.spawn("backend", quiet)
	server.Kill() // so that it has not heard of the job that is taken back below
	a := laptop.spawn("ambassador-1", relay, role("ambassador"), linked("server", "backend"))
	laptop.Kill()
	forget(t, laptop.Node, a.Link.Job)
	server.Start()
	laptop.Start()
	laptop.open(a)
	laptop.Kill()
	laptop.Start()
	laptop.open(a)
	if jobs := laptop.jobs(); len(jobs) != 1 || jobs[0].ID != a.Link.Job {
		t.Errorf("%d jobs: %+v", len(jobs), jobs)
	}
	if got := laptop.jobs()[0].Legs[0].PeerAgents; !slices.Equal(got, []groove.AgentName{"backend"}) {
		t.Errorf("the job links %v", got)
	}
}

// A job that cannot be opened any more: the agent is told, and lives on.
func TestLinkWhosePeerHasGone(t *testing.T) {
	laptop, server := two(t, true)
	server.spawn("backend", quiet)
	a := laptop.spawn("ambassador-1", relay, role("ambassador"), linked("server", "backend"))
	laptop.Kill()
	forget(t, laptop.Node, a.Link.Job)
	files, err := filepath.Glob(filepath.Join(laptop.Home, "federation", "peers", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	laptop.Start()
	laptop.Until("it is logged", func(context.Context) (bool, error) {
		return strings.Contains(laptop.Log(), "an agent's job is not opened"), nil
	})
	laptop.tell("ambassador-1", "go on")
	prompt, _ := laptop.last("ambassador-1")
	has(t, prompt, "(groove) The job with your peer could not be opened: the peer "+server.Info.ID.Short()+" is not paired any more")
	if jobs := laptop.jobs(); len(jobs) != 0 {
		t.Errorf("%+v", jobs)
	}
}

// Killed at any moment of a spawn: an agent that is there has its job, and no job is
// without its agent.
func TestAgentAndJobDoNotDiverge(t *testing.T) {
	laptop, server := two(t, true)
	server.spawn("backend", quiet)
	for round := range 8 {
		name := "ambassador-" + string(rune('a'+round))
		r := laptop.request(name, relay, role("ambassador"), linked("server", "backend"))
		client, done := laptop.API(), make(chan struct{})
		go func() {
			defer close(done)
			_, _ = client.Spawn(context.Background(), r) // it may be cut off
		}()
		if round%2 == 0 {
			laptop.untilKnown(name)
		}
		laptop.Kill()
		<-done
		laptop.Start()
		agents, err := laptop.Client.Agents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range agents {
			if a.Link != nil && !a.Status.Ended() {
				laptop.open(a)
			}
		}
		for _, j := range laptop.jobs() {
			if !slices.ContainsFunc(agents, func(a groove.Agent) bool { return a.Link != nil && a.Link.Job == j.ID }) {
				t.Errorf("round %d: job %s has no agent", round, j.ID.Short())
			}
		}
	}
}

// untilKnown waits until the daemon names the agent, in whatever state.
func (w world) untilKnown(name string) {
	w.T.Helper()
	for ctx := w.T.Context(); ; {
		list, err := w.Client.Agents(ctx)
		if err != nil {
			w.T.Fatal(err)
		}
		if slices.ContainsFunc(list, func(a groove.Agent) bool { return string(a.Name) == name }) {
			return
		}
	}
}

func TestExampleFilesAreWhole(t *testing.T) {
	files, err := filepath.Glob(example + "*.toml")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := teamfile.Parse(text, "/x"); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
