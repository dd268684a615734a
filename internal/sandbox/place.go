package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"groove/internal/groove"
)

// Place is where a program is to run, and what is its own there.
type Place struct {
	Dir  string   // working directory: absolute, without links
	Argv []string // the program, absolute, and its arguments
	Env  []string // its whole environment; of two entries the later one counts
	// Own are the files and directories where the program keeps its configuration and its
	// state. They may begin with ~/ or $VARIABLE. One that is not there is made a directory, since
	// the program could not, unless its name has an extension: that is a file.
	Own     []string
	Read    []string // what the user allows besides, to read
	Write   []string // and to change
	Self    string   // the groove executable
	Private string   // groove's home, of which no program is to see more than its own worktree
}

// system is what every program needs to read; the last ones are what names and
// certificates are found by.
var system = []string{
	"/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/etc", "/opt", "/proc", "/sys",
	"/nix/store", "/run/current-system", "/snap", "/home/linuxbrew/.linuxbrew",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf", "/mnt/wsl/resolv.conf",
	"/var/lib/ca-certificates",
}

// devices hold nothing of anybody's. Disks, cameras and the like are not among them.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"}

// gitOwn is where git finds who commits.
var gitOwn = []string{"~/.gitconfig", "$XDG_CONFIG_HOME/git/", "~/.gitignore", "~/.gitignore_global"}

// Rules builds the rules of a program. It fails with KindInvalid where the working
// directory would make them worthless: the user's home or groove's, or what holds one of them.
func (p Place) Rules() (Rules, error) {
	env := environment(p.Env)
	if err := p.check(env); err != nil {
		return Rules{}, err
	}
	r := Rules{Devices: devices}
	r.Write = append(r.Write, p.Dir)
	r.Write = append(r.Write, temporary(env)...)
	for _, own := range slices.Concat(p.Own, p.Write) {
		if path := env.path(own); path != "" {
			makeOwn(path)
			r.Write = append(r.Write, path)
		}
	}
	r.Read = append(r.Read, system...)
	for _, path := range slices.Concat(gitOwn, p.Read) {
		if path = env.path(path); path != "" {
			r.Read = append(r.Read, path)
		}
	}
	r.Read = append(r.Read, programFiles(p.Argv, env)...)
	r.Read = append(r.Read, p.Self)
	write, read := gitFiles(p.Dir)
	r.Write, r.Read = append(r.Write, write...), append(r.Read, read...)
	r.Write = outermost(keep(r.Write, p.Private, env["HOME"], p.Dir), nil)
	r.Read = outermost(keep(r.Read, p.Private, env["HOME"], p.Dir), r.Write)
	return r, nil
}

// check refuses a working directory that would give away what is to be held back.
func (p Place) check(env vars) error {
	bad := func(why string) error {
		return groove.Errorf("sandbox", groove.KindInvalid, "the directory %s %s", p.Dir, why).
			WithFix("give the agent a directory of its own, or spawn it without --sandbox")
	}
	real, err := filepath.EvalSymlinks(p.Dir)
	switch {
	case err != nil:
		return groove.Errorf("sandbox", groove.KindInvalid, "the directory cannot be used: %w", err)
	case real != p.Dir:
		return bad("leads to " + real + " by a link")
	case env["HOME"] != "" && holds(p.Dir, realPath(env["HOME"])):
		return bad("holds your home: nothing would be out of the program's reach")
	case p.Private != "" && holds(p.Dir, realPath(p.Private)):
		return bad("holds groove's home, with its key")
	}
	return nil
}

// keep drops what would open the user's whole home or groove's; dir alone may lie in the latter.
func keep(paths []string, private, home, dir string) []string {
	return slices.DeleteFunc(paths, func(path string) bool {
		if path == dir {
			return false
		}
		real := realPath(path)
		if private != "" && holds(realPath(private), real) && !holds(real, dir) {
			return true // of groove's home only what the directory lies in, which does not hold all of it
		}
		return home != "" && holds(real, realPath(home)) || private != "" && holds(real, realPath(private))
	})
}

// outermost drops what lies in another path of the list, or of held. It is allowed already,
// and where a program may write it may put a link in its place, to be followed at
// the next start.
func outermost(paths, held []string) []string {
	var out []string
	for i, path := range paths {
		inside := slices.ContainsFunc(held, func(h string) bool { return holds(h, path) }) ||
			slices.ContainsFunc(paths[:i], func(h string) bool { return h == path }) ||
			slices.ContainsFunc(paths, func(h string) bool { return h != path && holds(h, path) })
		if !inside {
			out = append(out, path)
		}
	}
	return out
}

// holds reports whether path is dir or lies below it.
func holds(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
}

// temporary are the folders for temporary files: what $TMPDIR says, else the usual ones.
func temporary(env vars) []string {
	if dir := env["TMPDIR"]; filepath.IsAbs(dir) {
		return []string{filepath.Clean(dir), "/dev/shm"}
	}
	return []string{"/tmp", "/var/tmp", "/dev/shm"}
}

// makeOwn makes a directory of the program's own that is missing. Where that fails, or something
// else stands there, the program does without.
func makeOwn(path string) {
	if filepath.Ext(strings.TrimPrefix(filepath.Base(path), ".")) == "" {
		_ = os.MkdirAll(path, 0o700)
	}
}

type vars map[string]string

func environment(env []string) vars {
	v := vars{}
	for _, e := range env {
		if key, value, ok := strings.Cut(e, "="); ok {
			v[key] = value
		}
	}
	home := v["HOME"]
	for key, usual := range map[string]string{"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_STATE_HOME": ".local/state", "XDG_CACHE_HOME": ".cache"} {
		if !filepath.IsAbs(v[key]) && home != "" {
			v[key] = filepath.Join(home, usual)
		}
	}
	return v
}

// path writes out ~/ and $VARIABLE/ at the front; "" where that makes no absolute path.
func (v vars) path(s string) string {
	if rest, ok := strings.CutPrefix(s, "~/"); ok {
		s = "$HOME/" + rest
	}
	if rest, ok := strings.CutPrefix(s, "$"); ok {
		key, rest, _ := strings.Cut(rest, "/")
		s = v[key] + "/" + rest
		if v[key] == "" {
			return ""
		}
	}
	if !filepath.IsAbs(s) {
		return ""
	}
	return filepath.Clean(s)
}
