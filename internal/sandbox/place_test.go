package sandbox_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/groove"
	"groove/internal/sandbox"
)

// machine is a home with what a program must not see, and a place to work in.
type machine struct {
	t                       *testing.T
	root, home, dir, groove string
	env                     []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, root: root, home: root + "/home", dir: root + "/home/work", groove: root + "/.groove"}
	m.write("home/.ssh/id", "the key")
	m.write(".groove/identity/key", "the key")
	m.write("home/work/file", "mine")
	m.write("tmp/x", "")
	m.write("bin/program", "#!/bin/sh\n")
	m.env = []string{"HOME=" + m.home, "TMPDIR=" + root + "/tmp", "PATH=" + os.Getenv("PATH")}
	return m
}

func (m *machine) write(file, text string) string {
	m.t.Helper()
	path := filepath.Join(m.root, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		m.t.Fatal(err)
	}
	return path
}

func (m *machine) place() sandbox.Place {
	return sandbox.Place{Dir: m.dir, Argv: []string{m.root + "/bin/program"}, Env: m.env, Self: "/usr/bin/groove", Private: m.groove}
}

// rules are those of the place without what every program has.
func (m *machine) rules(p sandbox.Place) sandbox.Rules {
	m.t.Helper()
	r, err := p.Rules()
	if err != nil {
		m.t.Fatal(err)
	}
	mine := func(path string) bool { return !strings.HasPrefix(path, m.root) }
	r.Write, r.Read = slices.DeleteFunc(r.Write, mine), slices.DeleteFunc(r.Read, mine)
	for i := range r.Write {
		r.Write[i] = strings.TrimPrefix(r.Write[i], m.root)
	}
	for i := range r.Read {
		r.Read[i] = strings.TrimPrefix(r.Read[i], m.root)
	}
	return r
}

func TestRules(t *testing.T) {
	base := []string{"/home/work", "/tmp"}
	git := []string{"/home/.gitconfig", "/home/.config/git", "/home/.gitignore", "/home/.gitignore_global"}
	program := []string{"/lib", "/lib64", "/libexec", "/pyvenv.cfg", "/bin"}
	for _, row := range []struct {
		name        string
		change      func(m *machine, p *sandbox.Place)
		write, read []string
	}{
		{"a folder of no repository", func(*machine, *sandbox.Place) {}, base, slices.Concat(git, program)},
		{"the program's own, made where it is a directory", func(m *machine, p *sandbox.Place) {
			p.Own = []string{"~/.codex", "$XDG_CONFIG_HOME/x", "~/.claude.json", "$OWN", "$UNSET/x", "$UNSET", "relative"}
			p.Env = append(p.Env, "XDG_CONFIG_HOME="+m.root+"/cfg", "OWN="+m.root+"/own")
		}, append(base[:2:2], "/home/.codex", "/cfg/x", "/home/.claude.json", "/own"),
			slices.Concat([]string{git[0], "/cfg/git", git[2], git[3]}, program)},
		{"the user's own word, which opens neither home", func(m *machine, p *sandbox.Place) {
			p.Write, p.Read = []string{"~/go/", "~/", m.groove, m.groove + "/identity/../"}, []string{m.groove + "/identity", "~/sdk", "~/", "/", m.home + "/."}
		}, append(base[:2:2], "/home/go"), slices.Concat(git, []string{"/home/sdk"}, program)},
		{"what a writable place holds is not named again: a link could take its place", func(m *machine, p *sandbox.Place) {
			p.Write, p.Read = []string{m.dir + "/sub/", m.dir}, []string{m.dir + "/lib", m.root + "/tmp/y"}
		}, base, slices.Concat(git, program)},
		{"a program in node_modules, all of them", func(m *machine, p *sandbox.Place) {
			m.write("home/.npm/lib/node_modules/a/node_modules/b/cli.js", "#!/usr/bin/env -S node --x\n")
			m.write("home/.nvm/v22/bin/node", "\x7fELF")
			link := m.root + "/bin/agent"
			if err := os.Symlink(m.home+"/.npm/lib/node_modules/a/node_modules/b/cli.js", link); err != nil {
				m.t.Fatal(err)
			}
			p.Argv, p.Env = []string{link}, append(p.Env, "PATH=/nonexistent:"+m.home+"/.nvm/v22/bin:/usr/bin")
		}, base, slices.Concat(git, []string{"/home/.npm/lib/node_modules", "/home/.nvm/v22/lib", "/home/.nvm/v22/lib64",
			"/home/.nvm/v22/libexec", "/home/.nvm/v22/pyvenv.cfg", "/home/.nvm/v22/bin"})},
		{"a program that lies in the home itself opens itself alone", func(m *machine, p *sandbox.Place) {
			p.Argv = []string{m.write("home/agent", "\x7fELF")}
		}, base, append(git[:4:4], "/home/agent")},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			p := m.place()
			row.change(m, &p)
			r := m.rules(p)
			if diff := cmp.Diff(row.write, r.Write); diff != "" {
				t.Errorf("writes: %s", diff)
			}
			if diff := cmp.Diff(row.read, r.Read); diff != "" {
				t.Errorf("reads: %s", diff)
			}
			if p.Own == nil {
				return
			}
			if info, err := os.Stat(m.home + "/.codex"); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the program's own directory was not made: %v", err)
			}
			if _, err := os.Stat(m.home + "/.claude.json"); err == nil {
				t.Error("a file was made a directory")
			}
		})
	}
}

func TestRulesForPrograms(t *testing.T) {
	m := newMachine(t)
	p := m.place()
	p.Env = p.Env[:1:1] // no TMPDIR
	r, err := p.Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/usr", "/etc", "/proc", "/usr/bin/groove"} {
		if path != "/usr/bin/groove" && !slices.Contains(r.Read, path) {
			t.Errorf("%s cannot be read", path)
		}
	}
	if strings.HasPrefix(m.root, "/tmp/") && slices.Contains(r.Write, "/tmp") {
		t.Error("/tmp holds the home, and is opened all the same")
	}
	if slices.Contains(r.Devices, "/dev") || !slices.Contains(r.Devices, "/dev/null") {
		t.Errorf("devices %v", r.Devices)
	}
}

func TestRulesRefuse(t *testing.T) {
	for _, row := range []struct {
		name string
		dir  func(m *machine) string
	}{
		{"the home", func(m *machine) string { return m.home }},
		{"what holds the home", func(m *machine) string { return m.root }},
		{"the root", func(*machine) string { return "/" }},
		{"groove's home", func(m *machine) string { return m.groove }},
		{"missing", func(m *machine) string { return m.home + "/none" }},
		{"a link: it may have been put there", func(m *machine) string {
			if err := os.Symlink(m.home+"/.ssh", m.home+"/link"); err != nil {
				m.t.Fatal(err)
			}
			return m.home + "/link"
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			p := m.place()
			p.Dir = row.dir(m)
			if _, err := p.Rules(); groove.KindOf(err) != groove.KindInvalid {
				t.Errorf("%s: %v", p.Dir, err)
			}
		})
	}
}

func TestGitRules(t *testing.T) {
	for _, row := range []struct {
		name        string
		dir         string // "" = work
		make        func(m *machine)
		write, read []string // beyond the directory and what every place has
	}{
		{"the main checkout", "", func(m *machine) { m.write("home/work/.git/config", "") }, nil, nil},
		{"a part of a checkout reads all of it", "home/work/part", func(m *machine) { m.write("home/work/.git/config", "") }, nil, []string{"/home/work"}},
		{"a worktree", "", func(m *machine) {
			m.write("repo/.git/worktrees/w/gitdir", m.dir+"/.git\n")
			m.write("home/work/.git", "gitdir: "+m.root+"/repo/.git/worktrees/w\n")
		}, []string{"/repo/.git/worktrees/w", "/repo/.git/objects", "/repo/.git/refs", "/repo/.git/logs", "/repo/.git/reftable"}, []string{"/repo/.git"}},
		{"a part of a worktree", "home/work/part", func(m *machine) {
			m.write("repo/.git/worktrees/w/gitdir", m.dir+"/.git\n")
			m.write("home/work/.git", "gitdir: ../../repo/.git/worktrees/w\n")
		}, []string{"/repo/.git/worktrees/w", "/repo/.git/objects", "/repo/.git/refs", "/repo/.git/logs", "/repo/.git/reftable"}, []string{"/home/work", "/repo/.git"}},
		{"a pointer that the repository does not know", "", func(m *machine) {
			m.write("repo/.git/worktrees/w/gitdir", "/elsewhere/.git\n")
			m.write("home/work/.git", "gitdir: "+m.root+"/repo/.git/worktrees/w\n")
		}, nil, nil},
		{"a pointer at a folder of secrets", "", func(m *machine) {
			m.write("home/.ssh/objects/x", "")
			m.write("home/work/.git", "gitdir: "+m.home+"/.ssh\n")
		}, nil, nil},
		{"a pointer that leads out by a link", "", func(m *machine) {
			m.write("home/.ssh/worktrees/w/x", "")
			if err := os.Symlink(m.home+"/.ssh/worktrees/w", m.dir+"/w"); err != nil {
				m.t.Fatal(err)
			}
			m.write("home/work/.git", "gitdir: w\n")
		}, nil, nil},
		{"a submodule", "", func(m *machine) {
			m.write("super/.git/modules/w/config", "")
			m.write("home/work/.git", "gitdir: "+m.root+"/super/.git/modules/w\n")
		}, nil, nil},
		{"a repository in the home itself", "", func(m *machine) { m.write("home/.git/config", "") }, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			row.make(m)
			plain := m.rules(m.place())
			p := m.place()
			if row.dir != "" {
				m.write(row.dir+"/x", "")
				p.Dir = filepath.Join(m.root, row.dir)
			}
			r := m.rules(p)
			if row.dir == "" {
				plain.Write = []string{"/home/work"}
			} else {
				plain.Write = []string{"/" + row.dir}
			}
			if diff := cmp.Diff(slices.Concat(plain.Write, []string{"/tmp"}, row.write), r.Write); diff != "" {
				t.Errorf("writes: %s", diff)
			}
			for _, path := range row.read {
				if !slices.Contains(r.Read, path) {
					t.Errorf("%s cannot be read: %v", path, r.Read)
				}
			}
			for _, path := range r.Read {
				if strings.Contains(path, ".ssh") || path == "/home" || strings.HasPrefix(path, "/repo") && row.write == nil {
					t.Errorf("%s can be read", path)
				}
			}
		})
	}
}
