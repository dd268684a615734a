// Package service has the system start the daemon: units of systemd, for one user or
// for the machine, and property lists of launchd. It writes one file, tells what it
// wrote, and which command comes next.
//
// It stands beside the hall, where the machine begins. It refuses to replace or remove
// a file that it did not write, and a system's unit that names no user.
package service

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"groove/internal/groove"
)

// Manager is who starts the daemon.
type Manager string

// The managers.
const (
	Systemd Manager = "systemd"
	Launchd Manager = "launchd"
)

// Name is the unit's, Label launchd's.
const (
	Name  = "groove.service"
	Label = "dev.groove.daemon"
)

// mark stands in each file that Install writes; files without it are somebody else's.
const mark = "Written by: groove service install"

// Spec is one service.
type Spec struct {
	Manager Manager
	System  bool   // the machine's, else one user's
	Exe     string // absolute path of groove
	Home    string // absolute; $GROOVE_HOME of the daemon
	User    string // who the daemon runs as; System only
	Config  string // the user's folder of settings (~/.config), or ~/Library for launchd; not for System
	Root    string // "" = /: where the system's files lie
}

// Change says what was done with a file.
type Change string

// The changes.
const (
	Written   Change = "written"
	Replaced  Change = "replaced"
	Unchanged Change = "unchanged"
	Removed   Change = "removed"
	Absent    Change = "absent"
)

// Result is what Install and Uninstall did.
type Result struct {
	Path   string   `json:"path"`
	Change Change   `json:"change"`
	Next   []string `json:"next"` // commands that the user runs next
}

// Path is where the service's file lies.
func (s Spec) Path() string {
	switch {
	case s.Manager == Launchd && s.System:
		return filepath.Join("/", s.Root, "Library/LaunchDaemons", Label+".plist")
	case s.Manager == Launchd:
		return filepath.Join("/", s.Root, s.Config, "LaunchAgents", Label+".plist")
	case s.System:
		return filepath.Join("/", s.Root, "etc/systemd/system", Name)
	}
	return filepath.Join("/", s.Root, s.Config, "systemd/user", Name)
}

// Install writes the service's file; once more is the same. It fails with
// KindInvalid for a Spec that cannot be written, KindConflict where a file of somebody
// else is in the way, KindForbidden where the folder may not be written.
func Install(s Spec) (Result, error) {
	text, err := s.Text()
	if err != nil {
		return Result{}, err
	}
	path := s.Path()
	out := Result{Path: path, Change: Written, Next: s.next()}
	old, err := ours(path)
	switch {
	case err != nil:
		return out, err
	case old == nil:
	case string(old) == text:
		out.Change = Unchanged
		return out, nil
	default:
		out.Change = Replaced
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return out, unwritable(path, err)
	}
	return out, write(path, text)
}

// Uninstall removes the file, and what enabling it linked. None there is no error.
func Uninstall(s Spec) (Result, error) {
	path := s.Path()
	out := Result{Path: path, Change: Absent, Next: []string{}}
	old, err := ours(path)
	if err != nil {
		return out, err
	}
	if s.Manager == Systemd {
		for _, wants := range []string{"default.target.wants", "multi-user.target.wants"} {
			link := filepath.Join(filepath.Dir(path), wants, Name)
			if target, err := os.Readlink(link); err == nil && filepath.Base(target) == Name {
				if err := os.Remove(link); err != nil {
					return out, unwritable(link, err)
				}
			}
		}
	}
	if old == nil {
		return out, nil
	}
	if err := os.Remove(path); err != nil {
		return out, unwritable(path, err)
	}
	out.Change = Removed
	if s.Manager == Systemd {
		out.Next = append(out.Next, s.systemctl("daemon-reload"))
	}
	return out, nil
}

// Installed reports whether the file is there, and whether Install would change it.
func Installed(s Spec) (there, current bool, err error) {
	text, err := s.Text()
	if err != nil {
		return false, false, err
	}
	old, err := ours(s.Path())
	return old != nil, string(old) == text, err
}

// ours reads a file that Install wrote, nil if there is none.
func ours(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, unwritable(path, err)
	case !bytes.Contains(b, []byte(mark)):
		return nil, groove.Errorf("install service", groove.KindConflict, "%s was not written by groove", path).WithFix("move it away")
	}
	return b, nil
}

func write(path, text string) error {
	// systemd and launchd read it as root, its user's groups may as well.
	err := os.WriteFile(path+".new", []byte(text), 0o644)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		_ = os.Remove(path + ".new") // half of it helps nobody
		return unwritable(path, err)
	}
	return nil
}

func unwritable(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return groove.Errorf("install service", groove.KindForbidden, "%s: %w", path, err).WithFix("run it with sudo, or without --system for a service of your own")
	}
	return groove.Errorf("install service", groove.KindConflict, "%s: %w", path, err).WithFix("see that " + filepath.Dir(path) + " can be written")
}

// check refuses what cannot stand in a unit.
func (s Spec) check() error {
	const op = "install service"
	for what, path := range map[string]string{"the program": s.Exe, "the home": s.Home} {
		if !filepath.IsAbs(path) {
			return groove.Errorf(op, groove.KindInvalid, "%s %q is no absolute path", what, path)
		}
		if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return groove.Errorf(op, groove.KindInvalid, "%s %q holds control characters", what, path).WithFix("choose a plainer path")
		}
	}
	if s.System && !plainUser(s.User) {
		return groove.Errorf(op, groove.KindInvalid, "a service of the system needs the user that it runs as, not %q", s.User).WithFix("groove service install --system --as NAME")
	}
	return nil
}

// plainUser reports whether name may stand after User=.
func plainUser(name string) bool {
	for i, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r >= '0' && r <= '9' && i > 0, (r == '-' || r == '.') && i > 0:
		default:
			return false
		}
	}
	return name != "" && len(name) <= 32
}
