package roles_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"groove/internal/groove"
	"groove/internal/roles"
)

func TestOwnRoles(t *testing.T) {
	all, bad := roles.Book{}.All()
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
		if r.Title == "" || len(r.Text) < 400 || len(r.Text) > 2500 || r.File != "" {
			t.Errorf("%s: title %q, %d bytes, file %q", r.Name, r.Title, len(r.Text), r.File)
		}
	}
	want := "ambassador backend docs frontend fullstack planner reviewer security testing"
	if got := strings.Join(names, " "); got != want || len(bad) != 0 {
		t.Errorf("%s, damaged %v; want %s", got, bad, want)
	}
}

func book(t *testing.T, files map[string]string) roles.Book {
	t.Helper()
	b := roles.Book{Dir: t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(b.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestUsersRole(t *testing.T) {
	b := book(t, map[string]string{
		"dba.md":      "---\ntitle: Keeps the data\nprogram: opencode\nscope: [db/**]\n---\n\nYou keep the data.\n",
		"backend.md":  "Mine.\r\nTwo lines.\n",
		"rule.md":     "First\n---\nis a line of the text.\n",
		"notes.txt":   "no role",
		".hidden.md":  "no role",
		"empty-fm.md": "---\n---\nText.\n",
	})
	dba, err := b.Find("dba")
	if err != nil || dba.Title != "Keeps the data" || dba.Program != "opencode" || len(dba.Scope) != 1 || dba.Text != "You keep the data." || dba.File == "" {
		t.Errorf("%+v, %v", dba, err)
	}
	backend, err := b.Find("backend")
	if err != nil || backend.Text != "Mine.\nTwo lines." {
		t.Errorf("the user's word does not count: %+v, %v", backend, err)
	}
	if r, err := b.Find("rule"); err != nil || !strings.HasPrefix(r.Text, "First\n---\n") {
		t.Errorf("%+v, %v", r, err)
	}
	all, bad := b.All()
	if len(all) != 9+3 || len(bad) != 0 {
		t.Errorf("%d roles, damaged %v", len(all), bad)
	}
}

func TestUnknownRole(t *testing.T) {
	b := book(t, map[string]string{"dba.md": "Text."})
	for _, name := range []string{"wizard", "", "../backend", "Backend", "builtin/backend"} {
		_, err := b.Find(name)
		e := groove.AsError(err)
		if e.Kind != groove.KindRoleUnknown || !strings.Contains(e.Why(), "backend, dba, docs") || !strings.Contains(e.Fix, b.Dir) {
			t.Errorf("%q: %v, fix %q", name, err, e.Fix)
		}
	}
}

func TestDamagedRole(t *testing.T) {
	for _, row := range []struct{ why, text, says string }{
		{"a member that is not known", "---\ntitle: x\nmodel: big\n---\ntext", "model"},
		{"no YAML", "---\ntitle: [\n---\ntext", "yaml"},
		{"the head does not end", "---\ntitle: x\ntext", "---"},
		{"no text", "---\ntitle: x\n---\n \n", "nothing"},
		{"an empty file", "", "nothing"},
		{"too long", strings.Repeat("x", 32<<10+1), "32 KiB"},
		{"not UTF-8", "\xff\xfe", "UTF-8"},
		{"an escape sequence", "one\ntwo \x1b[2J", "line 2"},
		{"text that turns around", "one \u202e two", "U+202E"},
		{"a title of two lines", "---\ntitle: \"a\\nb\"\n---\ntext", "title"},
		{"a scope that is too long", "---\nscope: [" + strings.Repeat("a, ", 21) + "]\n---\ntext", "20"},
	} {
		b := book(t, map[string]string{"backend.md": row.text})
		_, err := b.Find("backend")
		if e := groove.AsError(err); e.Kind != groove.KindConfigInvalid || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "backend.md") {
			t.Errorf("%s: %v", row.why, err)
		}
		all, bad := b.All()
		if len(all) != 8 || len(bad) != 1 || bad[0].Name != "backend" {
			t.Errorf("%s: %d roles, damaged %v: it is half used", row.why, len(all), bad)
		}
	}
}

func TestRoleThatIsNoFile(t *testing.T) {
	b := book(t, nil)
	if err := os.Mkdir(filepath.Join(b.Dir, "dir.md"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(b.Dir, "pipe.md"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dir", "pipe"} {
		if _, err := b.Find(name); groove.KindOf(err) != groove.KindConfigInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRole(f *testing.F) {
	f.Add("---\ntitle: x\n---\ntext")
	f.Add("text\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := roles.Book{Dir: dir}.Find("x")
		if err == nil && (r.Text == "" || len(r.Title) > 120 || len(r.Scope) > 20 || strings.ContainsAny(r.Text, "\x00\x1b")) {
			t.Errorf("%+v", r)
		}
	})
}
