package programs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"groove/internal/groove"
)

// Found is what is known of a program on this machine.
type Found struct {
	Path        string // of what is started, "" where it is missing
	Version     string // "" where nobody has told it yet
	Node        string // the Node.js that its launcher would find, "" where it needs none
	NodeVersion string
	Notes       []string      // what does not keep it from running
	Err         *groove.Error // why it cannot be started; nil: it can, as far as can be known without starting it
}

// Checker looks for programs. What it learns of a file holds for as long as the file
// is the same one. Safe for concurrent use.
type Checker struct {
	self string // the groove executable, "" = this one
	mu   sync.Mutex
	told map[stamp]string // what a command said of itself
	runs map[stamp]*sync.Mutex
}

// stamp is one state of one file, and what it was asked.
type stamp struct {
	path, asked string
	size        int64
	changed     time.Time
}

// NewChecker makes a Checker; self is the groove executable, "" for this one.
func NewChecker(self string) *Checker {
	return &Checker{self: self, told: map[stamp]string{}, runs: map[stamp]*sync.Mutex{}}
}

// Check looks whether a program can be started in the environment env (KEY=VALUE, over
// this process's own). It starts nothing but `node --version`, once for each Node.js, so that
// it may stand before every spawn.
func (c *Checker) Check(ctx context.Context, p Profile, env []string) Found {
	return c.look(ctx, p, env, false)
}

// Look is Check, and asks the program for its version where no file tells it: that takes
// seconds for some, once.
func (c *Checker) Look(ctx context.Context, p Profile, env []string) Found {
	return c.look(ctx, p, env, true)
}

func (c *Checker) look(ctx context.Context, p Profile, env []string, ask bool) Found {
	var f Found
	err := c.find(ctx, &f, p, env, ask)
	if err != nil {
		f.Err = groove.AsError(err)
	}
	return f
}

// Argv is the command line that starts the program, with args behind it. It fails with
// KindProgramFailed for what Check finds.
func (c *Checker) Argv(ctx context.Context, p Profile, env []string, args ...string) ([]string, error) {
	f := c.Check(ctx, p, env)
	if f.Err != nil {
		return nil, f.Err
	}
	rest := p.Argv[1:]
	if p.Self {
		rest = p.Argv
	}
	return slices.Concat([]string{f.Path}, rest, args), nil
}

// find fills f as far as it gets, and says what stops it.
func (c *Checker) find(ctx context.Context, f *Found, p Profile, env []string, ask bool) error {
	if p.Self {
		return c.findSelf(f)
	}
	search := valueOf(env, "PATH")
	path, err := lookPath(p.Argv[0], search)
	if err != nil {
		return refuse(p, p.Install, "%s is not installed: %w", p.Name, err)
	}
	f.Path = path
	pack, script := packageOf(path), scriptOf(path)
	if err := p.sameProgram(path, pack); err != nil {
		return err
	}
	if pack.of(p) {
		f.Version = pack.Version
	}
	if err := c.checkNode(ctx, f, p, script, search, env); err != nil {
		return err
	}
	if err := p.checkNeeds(pack, search); err != nil {
		return err
	}
	f.Notes = p.notes(search)
	if f.Version == "" {
		f.Version = c.version(ctx, p, path, env, ask)
	}
	if p.MinVersion != "" && f.Version != "" && compare(f.Version, p.MinVersion) < 0 {
		return refuse(p, p.Install, "%s %s at %s is too old: groove needs %s or newer", p.Name, f.Version, path, p.MinVersion)
	}
	return nil
}

func (c *Checker) findSelf(f *Found) error {
	f.Path, f.Version = c.self, groove.Version
	if f.Path != "" {
		return nil
	}
	exe, err := os.Executable()
	f.Path = exe
	return groove.Wrap("find agent program", groove.KindInternal, err)
}

// refuse says why a program cannot be started; fix "" names its folder and PATH.
func refuse(p Profile, fix, format string, args ...any) error {
	if fix == "" {
		fix = "install " + p.Argv[0] + ", or put its folder on PATH"
	}
	return groove.Errorf("find agent program", groove.KindProgramFailed, format, args...).WithFix(fix)
}

// sameProgram refuses a command that is another program of ours under the same name.
func (p Profile) sameProgram(path string, pack npmPackage) error {
	if p.Package == "" || pack.Name == "" || pack.of(p) {
		return nil
	}
	for name, other := range builtin {
		if name != p.Name && pack.of(other) {
			return refuse(p, p.Install, "%s is not installed: %s is of the program %s (%s %s)", p.Name, path, name, pack.Name, pack.Version)
		}
	}
	return nil
}

// checkNode finds what a script's first line would find, and whether a Node.js is new
// enough.
func (c *Checker) checkNode(ctx context.Context, f *Found, p Profile, script interpreter, search string, env []string) error {
	if script.path == "" {
		return nil // a binary
	}
	least := p.MinNode
	path, err := lookPath(script.path, search)
	if !script.node { // a shell's script finds its Node.js by itself
		if err != nil {
			return refuse(p, "install "+script.path, "%s runs on %s, which is not installed: %w", p.Name, script.path, err)
		}
		return nil
	}
	if err != nil {
		if least == "" {
			least = "22"
		}
		return refuse(p, "install Node.js "+least+" or newer (https://nodejs.org) and put it on PATH of the daemon", "%s runs on Node.js, and %s is not installed: %w", p.Name, script.path, err)
	}
	f.Node = path
	f.NodeVersion = strings.TrimPrefix(c.tell(ctx, []string{path, "--version"}, env, true), "v")
	if f.NodeVersion == "" {
		return refuse(p, "look at what "+path+" --version says", "%s runs on Node.js, and %s does not tell its version", p.Name, path)
	}
	if least != "" && compare(f.NodeVersion, least) < 0 {
		return refuse(p, "npm install -g node@"+least, "%s needs Node.js %s or newer, and %s is %s", p.Name, least, path, f.NodeVersion)
	}
	return nil
}

// checkNeeds looks for what the program starts in turn: an adapter without its vendor's
// program would die in its first session.
func (p Profile) checkNeeds(pack npmPackage, search string) error {
	for _, need := range p.Needs {
		if name, ok := strings.CutPrefix(need, "npm:"); ok {
			if pack.of(p) && !pack.beside(name) {
				return refuse(p, p.Install, "%s lacks %s, which it starts: its installation in %s is not whole", p.Name, name, pack.dir)
			}
			continue
		}
		if _, err := lookPath(need, search); err != nil {
			return refuse(p, p.Install, "%s is installed, and %s, which it starts, is not: %w", p.Name, need, err)
		}
	}
	return nil
}

// notes names the vendor's own command where the adapter is here without it: it logs in,
// and goes on with a session outside groove.
func (p Profile) notes(search string) []string {
	var out []string
	var seen []string
	login, _, _ := strings.Cut(p.Login, " ")
	reopen := ""
	if len(p.Reopen) > 0 {
		reopen = p.Reopen[0]
	}
	for _, name := range []string{login, reopen} {
		if name == "" || name == p.Argv[0] || slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		if _, err := lookPath(name, search); err != nil {
			note := name + " is not on PATH: it logs in, and goes on with a session outside groove"
			if p.InstallCLI != "" {
				note += "; " + p.InstallCLI
			}
			out = append(out, note)
		}
	}
	return out
}

// version is what the program says of itself, "" while nobody has asked it.
func (c *Checker) version(ctx context.Context, p Profile, path string, env []string, ask bool) string {
	if len(p.Version) == 0 {
		return ""
	}
	argv := slices.Clone(p.Version)
	if argv[0] == p.Argv[0] {
		argv[0] = path
	} else if found, err := lookPath(argv[0], valueOf(env, "PATH")); err == nil {
		argv[0] = found
	} else {
		return ""
	}
	return versionIn(c.tell(ctx, argv, env, ask))
}

// lookPath finds an executable on a PATH. Relative folders of it are passed over: they
// would mean another file with every working directory.
func lookPath(file, search string) (string, error) {
	if strings.Contains(file, "/") {
		return file, executable(file)
	}
	for _, dir := range filepath.SplitList(search) {
		if path := filepath.Join(dir, file); filepath.IsAbs(dir) && executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s on PATH", file)
}
