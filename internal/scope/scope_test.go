package scope_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/internal/scope"
)

// project is a directory with links that lead in and out of it.
func project(t *testing.T) (dir, outside string) {
	t.Helper()
	root := t.TempDir()
	dir, outside = filepath.Join(root, "project"), filepath.Join(root, "outside")
	for _, d := range []string{"project/src/api", "project/lib", "project/.git/hooks", "outside/deep"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"src/out": outside, "src/dangling": outside + "/not-yet", "src/lib": "../lib", "src/round": "round",
		"src/deep": outside + "/deep", "src/up": "..", "src/git": "../.git", "lib/in": "../src/api",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, outside
}

func TestAllows(t *testing.T) {
	dir, outside := project(t)
	for _, row := range []struct {
		path string
		want bool
		why  string
	}{
		{"src/a.go", true, "matched"},
		{"src/api/deep/er/a.go", true, "** is any depth"},
		{dir + "/src/a.go", true, "absolute paths name the same files"},
		{"src", true, "a scope over what is in a directory covers the directory"},
		{"lib/a.go", false, "another part of the project"},
		{"srcs/a.go", false, "a prefix of the name is not the directory"},
		{"src/../src/a.go", true, "goes out and comes back"},
		{"src/../lib/a.go", false, "goes out"},
		{"../outside/a.go", false, "out of the directory"},
		{"src/../../project/src/a.go", true, "out and back in"},
		{outside + "/a.go", false, "somewhere else"},
		{"/etc/passwd", false, "somewhere else"},
		{"src/out", false, "the bytes go where the link leads"},
		{"src/out/a.go", false, "through a link out of it"},
		{"src/dangling", false, "a write would make the file that the link names"},
		{"src/lib/a.go", false, "inside the directory, outside the globs"},
		{"lib/in/a.go", true, "a link that leads into the scope"},
		{"src/round", false, "leads nowhere"},
		{"src/deep/../../src/a.go", false, "to the kernel it is outside, though it reads as src/a.go"},
		{"src/up/src/a.go", true, "up and down again"},
		{"src/.git/config", false, "a repository's own files, of a submodule too"},
		{"src/git/config", false, "the same by a link"},
		{"src/.gitignore", true, "is no part of .git"},
		{"", false, "no path"},
		{"src/a\x00b", false, "no path"},
		{"./src/a.go", true, "as programs write it"},
		{"src//a.go", true, "as programs write it"},
	} {
		s, err := scope.New(dir, []string{"src/**"})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Allows(row.path); got != row.want {
			t.Errorf("%q: allowed %v, want %v: %s", row.path, got, row.want, row.why)
		}
	}
}

func TestCoversTheLinkItself(t *testing.T) {
	dir, _ := project(t)
	s, err := scope.New(dir, []string{"src/**"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"src/out": true, "src/dangling": true, "src/round": true,
		"src/out/a": false, "src/lib/a": false, "src/x": true, "lib/in": false, "lib/in/x": true, "": false} {
		if got := s.Covers(path); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	}
}

func TestNoGlobsAreTheWholeDirectory(t *testing.T) {
	dir, outside := project(t)
	link := filepath.Join(filepath.Dir(dir), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	s, err := scope.New(link, nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{".": true, "a": true, dir + "/a/b": true, link + "/a": true,
		outside: false, "..": false, ".git/hooks/pre-commit": false, "src/out/a": false} {
		if got := s.Allows(path); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, row := range []struct{ glob, want, why string }{
		{"src/**", "src/**", "as it stands"},
		{"./src/*.go", "src/*.go", "as a shell completes it"},
		{"src/", "src/**", "a directory is what is below it"},
		{".", "**", "the whole directory"},
		{"./", "**", "the whole directory"},
		{"", "", "empty"},
		{"/etc/**", "", "absolute"},
		{"../other/**", "", "out of the directory"},
		{"a/../b", "", "not plain"},
		{"a/./b", "", "not plain"},
		{"a//b", "", "not plain"},
		{"[a", "", "not closed"},
		{"{a,b", "", "not closed"},
		{"a\x1b[0m", "", "control characters"},
		{strings.Repeat("a", 201), "", "too long"},
		{strings.Repeat("{a,b}", 9), "", "512 alternatives"},
		{strings.Repeat("{a,b}", 40), "", "a trillion, found out in no time"},
		{"{[{],b}", "", "the class holds the end of the brace"},
	} {
		got, err := scope.Clean(row.glob)
		if got != row.want || (err == nil) != (row.want != "") || err != nil && groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("%q: %q, %v; want %q: %s", row.glob, got, err, row.want, row.why)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	dir, _ := project(t)
	for _, row := range []struct {
		dir   string
		globs []string
		why   string
	}{
		{"relative", nil, "the directory is not absolute"},
		{dir + "/src/round", nil, "the directory leads nowhere: every path would be below it"},
		{dir, []string{"a", "../b"}, "leads out"},
		{dir, []string{"{a,../b}"}, "leads out of a brace"},
		{dir, []string{"{a,/b}"}, "an alternative that is empty or absolute"},
		{dir, make([]string, 21), "too many"},
	} {
		if _, err := scope.New(row.dir, row.globs); groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("%s %q: %v: %s", row.dir, row.globs, err, row.why)
		}
	}
}
