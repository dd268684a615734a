package teamfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/teamfile"
)

const whole = `
name = "shop"
program = "opencode"
dir = "src"

[[agent]]
name = "planner"
role = "planner"
task = """
Plan it.
[[agent]]
"""

[[agent]]
name = "frontend"
role = "frontend"
title = "Pages"
program = "scripted"
script = "f.yaml"
dir = "/abs/web"
scope = ["web/**"]
model = "m"
mode = "plan"
sandbox = true
worktree = true
env = ["A=b"]
rotate_at = 70

[[agent]]
name = "ambassador"
role = "ambassador"
[agent.link]
peer = "server"
agents = ["backend"]
title = "Checkout"
goal = "One checkout."
ttl = "2h"
idle = "20m"
keep_alive = false

[[agent]]
name = "twin"
role = "ambassador"
[agent.link]
mode = "ambassador"
[[agent.link.peers]]
peer = "a"
[[agent.link.peers]]
peer = "b"
agents = ["x", "y"]
`

func TestWhole(t *testing.T) {
	no := false
	got, err := teamfile.Parse([]byte(whole), "/home/ana/shop")
	want := api.TeamRequest{Name: "shop", Agents: []api.SpawnRequest{
		{Name: "planner", Role: "planner", Program: "opencode", Dir: "/home/ana/shop/src", Task: "Plan it.\n[[agent]]\n"},
		{Name: "frontend", Role: "frontend", Title: "Pages", Program: "scripted", Script: "/home/ana/shop/f.yaml", Dir: "/abs/web", Scope: []string{"web/**"},
			Model: "m", Mode: "plan", Sandbox: true, Worktree: true, Env: []string{"A=b"}, RotateAt: 70},
		{Name: "ambassador", Role: "ambassador", Program: "opencode", Dir: "/home/ana/shop/src", Link: &api.LinkRequest{Peer: "server",
			Agents: []groove.AgentName{"backend"}, Title: "Checkout", Goal: "One checkout.", TTL: 7200, Idle: 1200, KeepAlive: &no}},
		{Name: "twin", Role: "ambassador", Program: "opencode", Dir: "/home/ana/shop/src", Link: &api.LinkRequest{Mode: "ambassador",
			Peers: []api.LinkPeer{{Peer: "a"}, {Peer: "b", Agents: []groove.AgentName{"x", "y"}}}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestRefusals(t *testing.T) {
	const head = "name = \"shop\"\n"
	for _, row := range []struct{ why, text, says string }{
		{"nothing", "", "line 1: the team has no name"},
		{"no agent", head, "line 1: the team has no agent"},
		{"no TOML", head + "[[agent\n", "line 2: "},
		{"a member of the team that is not known", head + "agents = 3\n", "line 2: there is no agents"},
		{"one of an agent", head + "[[agent]]\nname = \"a\"\ncolour = \"red\"\n", "line 4: there is no agent.colour"},
		{"one of a link", head + "[[agent]]\nname = \"a\"\n[agent.link]\npeer = \"p\"\nkeepAlive = true\n", "line 6: there is no agent.link.keepAlive"},
		{"the wrong sort", head + "[[agent]]\nname = \"a\"\nscope = \"web\"\n", "line 4: "},
		{"twice", head + "name = \"b\"\n", "line 2: "},
		{"an agent without a name", head + "[[agent]]\nname = \"a\"\n\n[[agent]]\nrole = \"planner\"\n", "line 5: an agent has the name \"\""},
		{"a name that is none", head + "\n\n[[agent]]\nname = \"A b\"\n", "line 4: an agent has the name"},
		{"a time that is none", head + "[[agent]]\nname = \"a\"\n[agent.link]\npeer = \"p\"\nttl = \"soon\"\n", "line 6: "},
		{"a time that is too short", head + "[[agent]]\nname = \"a\"\n[agent.link]\npeer = \"p\"\nidle = \"5s\"\n", "line 6: "},
		{"a link without a peer", head + "[[agent]]\nname = \"a\"\n[agent.link]\nttl = \"2h\"\n", "line 2: the link of a names a peer"},
		{"a link with both", head + "[[agent]]\nname = \"a\"\n[agent.link]\npeer = \"p\"\n[[agent.link.peers]]\npeer = \"q\"\n", "line 2: the link of a names a peer"},
		{"a mode that is none", head + "[[agent]]\nname = \"a\"\n[agent.link]\npeer = \"p\"\nmode = \"both\"\n", "line 2: the link of a has the mode"},
		{"too long", head + "#" + strings.Repeat("x", 1<<20), "1024 KiB"},
	} {
		_, err := teamfile.Parse([]byte(row.text), "/x")
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.why, err, row.says)
		}
	}
}

func TestReadNamesTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "team.toml")
	if err := os.WriteFile(name, []byte("name = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := teamfile.Read(name)
	if groove.KindOf(err) != groove.KindConfigInvalid || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "line 1") {
		t.Error(err)
	}
	if _, err := teamfile.Read(name + "x"); groove.KindOf(err) != groove.KindConfigInvalid {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("name = \"a\"\n[[agent]]\nname = \"b\"")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := teamfile.Parse([]byte(text), "/x")
		if err != nil {
			return
		}
		for _, a := range r.Agents {
			if !a.Name.Valid() || !filepath.IsAbs(a.Dir) {
				t.Errorf("%+v", a)
			}
		}
	})
}
