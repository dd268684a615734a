// Package teams runs agents with roles, teams and ambassadors on real daemons, and reads
// in their programs' own histories what they were told.
package teams

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const quiet = "default:\n  - say: noted\n"

// world is one daemon with the folder in which its scripted programs keep their histories.
type world struct {
	*harness.Node
	dir string
}

func newWorld(t *testing.T, name, ip string) world {
	t.Helper()
	w := world{Node: harness.New(t, name, ip), dir: t.TempDir()}
	w.Flags["rate"] = "off"
	w.Start()
	return w
}

// request is a spawn of the scripted program whose history can be read.
func (w world) request(name, script string, edit ...func(*api.SpawnRequest)) api.SpawnRequest {
	w.T.Helper()
	histories := filepath.Join(w.dir, name)
	if err := os.MkdirAll(histories, 0o700); err != nil {
		w.T.Fatal(err)
	}
	file := filepath.Join(w.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		w.T.Fatal(err)
	}
	r := api.SpawnRequest{Name: groove.AgentName(name), Program: "scripted", Script: file, Dir: w.dir, Env: []string{"GROOVE_SCRIPTED_DIR=" + histories}}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func (w world) spawn(name, script string, edit ...func(*api.SpawnRequest)) groove.Agent {
	w.T.Helper()
	a, err := w.trySpawn(name, script, edit...)
	if err != nil {
		w.T.Fatalf("spawn %s: %v\n%s", name, err, w.Log())
	}
	return a
}

func (w world) trySpawn(name, script string, edit ...func(*api.SpawnRequest)) (groove.Agent, error) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	return w.Client.Spawn(ctx, w.request(name, script, edit...))
}

func role(name string) func(*api.SpawnRequest) {
	return func(r *api.SpawnRequest) { r.Role = name }
}
func team(name string) func(*api.SpawnRequest) {
	return func(r *api.SpawnRequest) { r.Team = name }
}
func scope(globs ...string) func(*api.SpawnRequest) {
	return func(r *api.SpawnRequest) { r.Scope = globs }
}
func linked(peer string, agents ...groove.AgentName) func(*api.SpawnRequest) {
	return func(r *api.SpawnRequest) { r.Link = &api.LinkRequest{Peer: peer, Agents: agents} }
}

// tell sends an agent a message of the user and waits until its turn is over.
func (w world) tell(agent, text string) {
	w.T.Helper()
	before := len(w.prompts(agent))
	sent, err := w.Client.Send(context.Background(), api.MessageRequest{To: api.MessageTo{Agent: groove.AgentName(agent)}, Payload: groove.Message{Text: text}})
	if err != nil {
		w.T.Fatalf("tell %s: %v", agent, err)
	}
	w.WaitMessage(sent.ID, "started", "answered")
	w.idle(agent)
	if got := w.prompts(agent); len(got) <= before {
		w.T.Fatalf("%s had no turn", agent)
	}
}

func (w world) idle(agent string) {
	w.T.Helper()
	w.Until(agent+" is idle", func(ctx context.Context) (bool, error) {
		a, err := w.Client.Agent(ctx, agent)
		return a.Status == groove.AgentIdle, err
	})
}

// said waits until the agent has said, or a prompt of it holds, the text.
func (w world) sees(agent, text string) {
	w.T.Helper()
	w.Until(agent+" sees "+text, func(context.Context) (bool, error) {
		for _, l := range w.lines(agent) {
			if strings.Contains(l.Text, text) {
				return true, nil
			}
		}
		return false, nil
	})
}

type line struct{ Role, Text string }

// lines are what the agent's program was told and has said.
func (w world) lines(agent string) (out []line) {
	w.T.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, agent, "*.jsonl"))
	if err != nil {
		w.T.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			w.T.Fatal(err)
		}
		in := bufio.NewScanner(bytes.NewReader(raw))
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			var l line
			if err := json.Unmarshal(in.Bytes(), &l); err != nil {
				w.T.Fatal(err)
			}
			out = append(out, l)
		}
	}
	return out
}

func (w world) prompts(agent string) (out []string) {
	for _, l := range w.lines(agent) {
		if l.Role == "user" {
			out = append(out, l.Text)
		}
	}
	return out
}

// last is the agent's last prompt, and whether a briefing stands in it.
func (w world) last(agent string) (prompt string, briefed bool) {
	w.T.Helper()
	all := w.prompts(agent)
	if len(all) == 0 {
		w.T.Fatalf("%s was told nothing", agent)
	}
	prompt = all[len(all)-1]
	return prompt, strings.Contains(prompt, "<groove-briefing ")
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in it:\n%s", p, text)
		}
	}
}
