package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/sys/unix"

	"groove/internal/groove"
)

// Path is the settings file of a home.
func Path(home string) string { return filepath.Join(home, "config.toml") }

// Check says what of a config.toml could not be used: nothing, for a good one.
func Check(home string, data []byte) []Problem { return parse(home, data).cfg.Problems }

func parse(home string, data []byte) *loader {
	l := newLoader()
	l.defaults()
	l.fromData(parseFile(Path(home), data))
	l.fill()
	return l
}

// Set writes one setting into config.toml and leaves the rest of the file, comments
// included, as it stands. text is as a variable of the environment would say it, or a
// TOML value. The file is replaced whole, readable by its owner alone. It fails with
// KindConfigInvalid for an unknown key, a value that may not stand there and a file
// that cannot be read.
func Set(home, name, text string) (Setting, error) {
	const op = "set configuration"
	s, err := settingOf(name, text)
	if err != nil {
		return s, err
	}
	unlock, err := lockFile(home)
	if err != nil {
		return s, err
	}
	defer unlock()
	data, why := slurp(Path(home))
	if why != "" {
		return s, groove.Errorf(op, groove.KindConfigInvalid, "%s: %s", Path(home), why).WithFix("make it a file of your own, written by nobody else")
	}
	edited, err := replaceValue(data, name, s.Text())
	if err != nil {
		return s, err
	}
	l := parse(home, edited)
	program, _, isProgram := cutMember(name)
	if i := slices.IndexFunc(l.cfg.Problems, func(p Problem) bool {
		return p.Key == "" || p.Key == name || isProgram && strings.HasPrefix(p.Key, "programs."+program+".")
	}); i >= 0 {
		e := l.cfg.Problems[i].Err()
		return s, groove.Errorf(op, groove.KindConfigInvalid, "%s would not be what it says: %s", name, e.Why()).WithFix("groove config edit")
	}
	if !isProgram && literal(plainValue(name, l.cfg.values[name])) != s.Text() {
		return s, groove.Errorf(op, groove.KindConfigInvalid, "%s is written in a way that one line cannot change", name).WithFix("groove config edit")
	}
	s.Origin = l.cfg.origins[name]
	return s, writeFile(Path(home), edited)
}

// settingOf checks a value that is to be written.
func settingOf(name, text string) (Setting, error) {
	const op = "set configuration"
	var raw any = text
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		var doc map[string]any
		if err := toml.Unmarshal([]byte("v = "+text+"\n"), &doc); err == nil {
			raw = doc["v"]
		}
	}
	if k, ok := keyOf(name); ok {
		v, err := k.read(raw)
		if err != nil {
			return Setting{}, groove.Errorf(op, groove.KindConfigInvalid, "%s: %w", name, err).WithFix("allowed: " + k.allowed)
		}
		return Setting{Key: name, Value: plainValue(name, v), Allowed: k.allowed}, nil
	}
	_, member, ok := cutMember(name)
	if !ok {
		return Setting{}, groove.Errorf(op, groove.KindConfigInvalid, "%.60q: no such setting", name).WithFix("one of " + near(name) + "; groove config show")
	}
	m, _ := memberOf(member)
	s := Setting{Key: name, Allowed: m.allowed}
	value, err := m.read(raw)
	if err != nil {
		return s, groove.Errorf(op, groove.KindConfigInvalid, "%s: %w", name, err).WithFix("allowed: " + s.Allowed)
	}
	s.Value = plainValue(name, value)
	return s, nil
}

// Replace makes data the config.toml of home. It fails with KindConfigInvalid, and
// changes nothing, where any of it could not be used.
func Replace(home string, data []byte) error {
	if problems := Check(home, data); len(problems) > 0 {
		e := problems[0].Err()
		if more := len(problems) - 1; more > 0 {
			e.Err = fmt.Errorf("%w (and %d more)", e.Err, more)
		}
		return e
	}
	unlock, err := lockFile(home)
	if err != nil {
		return err
	}
	defer unlock()
	return writeFile(Path(home), data)
}

// lockFile keeps two writers of settings apart. The lock is on the home's folder.
func lockFile(home string) (unlock func(), err error) {
	dir, err := os.Open(home)
	if err != nil {
		return nil, unusable(home, reason(err), err)
	}
	for {
		if err = unix.Flock(int(dir.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = dir.Close() // nothing was written
		return nil, unusable(home, reason(err), err)
	}
	return func() { _ = dir.Close() }, nil
}

// writeFile replaces a file whole: a crash leaves the old one or the new one. A link is
// followed, as people keep their settings elsewhere.
func writeFile(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if !errors.Is(err, fs.ErrNotExist) {
		return unwritable(path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".config-*.toml") // made with mode 0600
	if err != nil {
		return unwritable(path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // half of it helps nobody
		return unwritable(path, err)
	}
	return nil
}

func unwritable(path string, err error) error {
	kind := groove.KindHomeDamaged
	fix := "make " + filepath.Dir(path) + " writable for you"
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		kind, fix = groove.KindStoreFull, "free space on the disk that holds "+filepath.Dir(path)
	case errors.Is(err, unix.EROFS):
		fix = "mount the disk for writing"
	}
	return groove.Errorf("write configuration", kind, "%s: %w", path, err).WithFix(fix)
}
