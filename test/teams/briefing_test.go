package teams

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
)

// The program sees the briefing before its first turn, once, over a restart too, and
// again when its team has changed.
func TestBriefingOnceAndWhenItChanges(t *testing.T) {
	w := newWorld(t, "laptop", "127.0.0.1")
	a := w.spawn("backend", quiet, role("backend"), team("shop"), scope("api/**"))
	if a.Title != "Builds the server's side" || !strings.HasPrefix(a.Instructions, "You build the server's side") {
		t.Errorf("the role is not taken: %+v", a)
	}
	w.tell("backend", "one")
	first, briefed := w.last("backend")
	if !briefed || strings.Index(first, "<groove-briefing ") > strings.Index(first, "one\n") {
		t.Fatalf("no briefing before the first turn:\n%s", first)
	}
	has(t, first, "You are the agent backend", `"api/**"`, "Your role, in your user's words", "You build the server's side", "groove_send", "AGENTS.md")
	w.tell("backend", "two")
	if prompt, again := w.last("backend"); again {
		t.Errorf("the briefing comes in each turn:\n%s", prompt)
	}
	w.Kill()
	w.Start()
	w.tell("backend", "three")
	if prompt, again := w.last("backend"); again {
		t.Errorf("a loaded session is briefed anew:\n%s", prompt)
	}

	w.spawn("stranger", quiet, team("other"))
	w.tell("backend", "four")
	if prompt, again := w.last("backend"); again {
		t.Errorf("another team changes the briefing:\n%s", prompt)
	}
	w.spawn("frontend", quiet, role("frontend"), team("shop"), scope("web/**"))
	w.tell("backend", "five")
	prompt, again := w.last("backend")
	if !again {
		t.Fatalf("the team has changed and backend is not told:\n%s", prompt)
	}
	has(t, prompt, `Your team "shop"`, "- frontend (role \"frontend\"", `"web/**"`)
	w.tell("frontend", "one") // its status changes, nothing else
	w.tell("backend", "six")
	if prompt, again := w.last("backend"); again {
		t.Errorf("the status of another changes the briefing:\n%s", prompt)
	}
}

func TestUsersRole(t *testing.T) {
	w := newWorld(t, "laptop", "127.0.0.1")
	dir := filepath.Join(w.Home, "roles")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name+".md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("dba", "---\ntitle: Keeps the data\nscope: [db/**]\n---\nNever drop a table.\n")
	write("backend", "Mine, not groove's.\n")
	write("broken", "---\ncolour: red\n---\nText.\n")
	a := w.spawn("keeper", quiet, role("dba"))
	if a.Title != "Keeps the data" || len(a.Scope) != 1 || a.Instructions != "Never drop a table." {
		t.Errorf("%+v", a)
	}
	w.tell("keeper", "hello")
	prompt, _ := w.last("keeper")
	has(t, prompt, "Never drop a table.")
	if b := w.spawn("b", quiet, role("backend")); b.Instructions != "Mine, not groove's." {
		t.Errorf("groove's role stands before the user's: %+v", b)
	}
	if _, err := w.trySpawn("c", quiet, role("wizard")); groove.KindOf(err) != groove.KindRoleUnknown || !strings.Contains(err.Error(), "dba, docs") {
		t.Errorf("an unknown role: %v", err)
	}
	if _, err := w.trySpawn("d", quiet, role("broken")); groove.KindOf(err) != groove.KindConfigInvalid || !strings.Contains(err.Error(), "broken.md") {
		t.Errorf("a damaged role: %v", err)
	}
	status, err := w.Client.Status(t.Context())
	if err != nil || len(status.Problems) != 1 || !strings.Contains(status.Problems[0].Detail, "broken.md") {
		t.Errorf("%+v, %v", status.Problems, err)
	}
}
