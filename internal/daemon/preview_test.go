package daemon

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// tree makes folders and files; what ends in a slash is a folder.
func tree(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(full, 0o700)
		} else {
			err = os.WriteFile(full, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolder(t *testing.T) {
	home := tree(t, "code/shop/.git/", "code/shop/web/src/", "code/Api/", "code/notes.txt", "code/.cache/", "code/tree/.git", "code/odd\xff/", "bare/")
	if err := os.Symlink(home+"/bare", home+"/code/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", home+"/code/gone"); err != nil {
		t.Fatal(err)
	}
	got, err := folder(home, "~/code")
	want := []api.DirEntry{{Name: ".cache", Hidden: true}, {Name: "Api"}, {Name: "link"}, {Name: "shop", IsRepo: true}, {Name: "tree", IsRepo: true}}
	if err != nil || !slices.Equal(got.Dirs, want) || got.Path != home+"/code" || got.Parent != home || got.Home != home || got.IsRepo || got.Truncated {
		t.Errorf("%+v, %v", got, err)
	}
	for _, row := range []struct{ why, path, want, repo string }{
		{"the home, where nothing is said", "", home, ""},
		{"the home by its sign", "~", home, ""},
		{"dots", home + "/code/../bare/.", home + "/bare", ""},
		{"a repository", home + "/code/shop", home + "/code/shop", home + "/code/shop"},
		{"below one", home + "/code/shop/web", home + "/code/shop/web", home + "/code/shop"},
	} {
		if got, err := folder(home, row.path); err != nil || got.Path != row.want || got.InRepo != row.repo || got.IsRepo != (row.repo == row.want) {
			t.Errorf("%s: %+v, %v", row.why, got, err)
		}
	}
	if root, err := folder(home, "/"); err != nil || root.Parent != "" || len(root.Dirs) == 0 {
		t.Errorf("the root: %+v, %v", root, err)
	}
	for _, row := range []struct{ why, path, says string }{
		{"not from the root on", "code", "not an absolute path"},
		{"another user's home, which is no path", "~root", "not an absolute path"},
		{"not there", home + "/nowhere", "does not exist"},
		{"a file", home + "/code/notes.txt", "cannot be read as a folder"},
	} {
		if _, err := folder(home, row.path); groove.KindOf(err) != groove.KindInvalid || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

func TestFolderIsBounded(t *testing.T) {
	var names []string
	for i := range maxFolders + 1 {
		names = append(names, "d"+strings.Repeat("x", i%200)+string(rune('a'+i%26))+strings.Repeat("y", i/200)+"/")
	}
	got, err := folder("/", tree(t, names...))
	if err != nil || len(got.Dirs) != maxFolders || !got.Truncated {
		t.Errorf("%d folders, truncated %v, %v", len(got.Dirs), got.Truncated, err)
	}
}

func TestScopePreview(t *testing.T) {
	dir := tree(t, "web/src/a.ts", "web/src/b.ts", "web/out/x.js", "api/a.go", "api/b_test.go", "node_modules/m/i.js")
	agent := func(name, below string, status groove.AgentStatus, globs ...string) groove.Agent {
		return groove.Agent{Name: groove.AgentName(name), Dir: filepath.Join(dir, below), Scope: globs, Status: status}
	}
	team := []groove.Agent{
		agent("frontend", "", groove.AgentRunning, "web/src/a*"), agent("docs", "", groove.AgentIdle, "docs/**"),
		agent("old", "", groove.AgentCompleted), agent("api", "api", groove.AgentIdle),
	}
	for _, row := range []struct {
		why      string
		globs    []string
		matches  int
		overlaps []api.ScopeOverlap
		problems int
	}{
		{"globs", []string{"web/src/**"}, 2, []api.ScopeOverlap{{Agent: "frontend", Glob: "web/src/**", Theirs: "web/src/a*", Files: 1}}, 0},
		{"an agent whose folder lies in it, without a scope", []string{"api/*_test.go"}, 1, []api.ScopeOverlap{{Agent: "api", Glob: "api/*_test.go", Files: 1}}, 0},
		{"files that are not there yet overlap too", []string{"docs/new.md"}, 0, []api.ScopeOverlap{{Agent: "docs", Glob: "docs/new.md", Theirs: "docs/**"}}, 0},
		{"none are everything", nil, 6, []api.ScopeOverlap{{Agent: "frontend", Theirs: "web/src/a*", Files: 1}, {Agent: "docs", Theirs: "docs/**"}, {Agent: "api", Files: 2}}, 0},
		{"one that is none beside one", []string{"../x", "web/out/**"}, 1, nil, 1},
		{"only what is none is nothing, not everything", []string{"[", "/etc"}, 0, nil, 2},
	} {
		got, err := previewScope(t.Context(), dir, row.globs, team)
		if err != nil || got.Matches != row.matches || len(got.Sample) != row.matches || !slices.Equal(got.Overlaps, row.overlaps) || len(got.Problems) != row.problems || got.Truncated || got.Repository {
			t.Errorf("%s: %+v, %v", row.why, got, err)
		}
	}
	for _, dir := range []string{dir + "/nowhere", dir + "/api/a.go"} {
		if _, err := previewScope(t.Context(), dir, nil, nil); groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestScopePreviewAsksGit(t *testing.T) {
	dir := tree(t, "web/a.ts", "web/new.ts", "out/x.js", ".gitignore")
	if err := os.WriteFile(dir+"/.gitignore", []byte("out/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "web/a.ts"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	got, err := previewScope(t.Context(), dir, nil, nil)
	if err != nil || !got.Repository || got.Matches != 3 {
		t.Errorf("%+v, %v: what git ignores is no file of the project", got, err)
	}
	if got, err := previewScope(t.Context(), filepath.Join(dir, "web"), []string{"n*"}, nil); err != nil || !slices.Equal(got.Sample, []string{"new.ts"}) {
		t.Errorf("below its root: %+v, %v", got, err)
	}
	if err := os.WriteFile(dir+"/.git/config", []byte("no config\n["), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := previewScope(t.Context(), dir, nil, nil); err != nil || got.Repository || got.Matches != 4 {
		t.Errorf("where git refuses: %+v, %v", got, err)
	}
}
