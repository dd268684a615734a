package programs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ToolName is a tool of groove's as the program's model sees it.
func (p Profile) ToolName(tool string) string { return strings.ReplaceAll(p.Tool, "{tool}", tool) }

// ReopenCommand is the program's own command line that goes on with a session, without
// groove; nil where it has none.
func (p Profile) ReopenCommand(session string) []string {
	if session == "" || len(p.Reopen) == 0 {
		return nil
	}
	out := make([]string, len(p.Reopen))
	for i, arg := range p.Reopen {
		out[i] = strings.ReplaceAll(arg, "{session}", session)
	}
	return out
}

// Environ is what the program gets beside the daemon's own environment: safe is whether
// it is to ask before it acts. What stands later counts.
func (p Profile) Environ(safe bool, further ...string) []string {
	out := slices.Clone(p.Env)
	if safe {
		out = append(out, p.SafeEnv...)
	}
	return append(out, further...)
}

// Unsafe reports whether env, which counts over the profile's, gives another value to a
// variable that makes the program ask.
func (p Profile) Unsafe(env []string) bool {
	for _, kv := range p.SafeEnv {
		key, value, _ := strings.Cut(kv, "=")
		for _, other := range env {
			if k, v, _ := strings.Cut(other, "="); k == key && v != value {
				return true
			}
		}
	}
	return false
}

// xdg is what the variables of the XDG base directories mean when they are not set.
var xdg = map[string]string{
	"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_STATE_HOME": ".local/state", "XDG_CACHE_HOME": ".cache",
}

// StatePaths are the absolute paths that the program writes beside its working
// directory, in the environment env. One that begins with a variable that is not set is left
// out.
func (p Profile) StatePaths(env []string) []string {
	home := valueOf(env, "HOME")
	out := []string{}
	for _, s := range p.State {
		path := s
		if rest, ok := strings.CutPrefix(s, "~/"); ok {
			path = filepath.Join(home, rest)
		} else if rest, ok := strings.CutPrefix(s, "$"); ok {
			name, below, _ := strings.Cut(rest, "/")
			root := valueOf(env, name)
			if root == "" && xdg[name] != "" {
				root = filepath.Join(home, xdg[name])
			}
			if root == "" {
				continue
			}
			path = filepath.Join(root, below)
		}
		if filepath.IsAbs(path) && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// valueOf is a variable's value in env, where later lines count, else in this process.
func valueOf(env []string, name string) string {
	for _, line := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return os.Getenv(name)
}
