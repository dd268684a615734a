package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"groove/internal/groove"
)

// Home is the folder of this user's daemon: $GROOVE_HOME, or ~/.groove. env is as
// of os.Environ. It fails with KindConfigInvalid where neither is known.
func Home(env []string) (string, error) {
	var home, own string
	for _, line := range env {
		switch name, value, _ := strings.Cut(line, "="); name {
		case "GROOVE_HOME":
			own = value
		case "HOME":
			home = value
		}
	}
	if own == "" && home == "" {
		return "", groove.Errorf("find home", groove.KindConfigInvalid, "neither GROOVE_HOME nor HOME is set").
			WithFix("export GROOVE_HOME=/path/of/a/folder")
	}
	if own == "" {
		own = filepath.Join(home, ".groove")
	}
	abs, err := filepath.Abs(own)
	return abs, groove.Wrap("find home", groove.KindConfigInvalid, err)
}

// folders are those of a home. Some rooms make their own files there, none has to
// make its folder.
var folders = []string{"identity", "federation", "federation/peers", "sessions", "logs", "run"}

// EnsureHome makes the home and its folders (0700) where they lack, and refuses
// those that another user could write to or owns: KindHomeDamaged, with the command
// that helps. What is there is not changed.
func EnsureHome(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return unusable(home, reason(err), err)
	}
	if err := ours(home); err != nil {
		return err
	}
	for _, name := range folders {
		path := filepath.Join(home, name)
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return unusable(path, reason(err), err)
		}
		if err := ours(path); err != nil {
			return err
		}
	}
	return nil
}

// CheckHome refuses what EnsureHome would, and makes nothing: what is not there is not
// looked at.
func CheckHome(home string) error {
	for _, path := range append([]string{""}, folders...) {
		path = filepath.Join(home, path)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := ours(path); err != nil {
			return err
		}
	}
	return nil
}

func ours(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return unusable(path, reason(err), err)
	case !info.IsDir():
		return unusable(path, "it is not a folder", nil)
	}
	if why := foreign(info); why != "" {
		return unusable(path, why, nil)
	}
	return nil
}

// foreign says why a file or folder may hold what its user did not write.
func foreign(info fs.FileInfo) string {
	if !ownedByUs(info) {
		return fmt.Sprintf("it belongs to another user, you are %d", os.Geteuid())
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Sprintf("other users may write to it (mode %04o)", perm)
	}
	return ""
}

func ownedByUs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

func unusable(path, why string, cause error) error {
	e := groove.Errorf("open home", groove.KindHomeDamaged, "%s: %s", path, why)
	if cause != nil {
		e = groove.Errorf("open home", groove.KindHomeDamaged, "%s: %w", path, cause)
	}
	switch {
	case errors.Is(cause, syscall.EROFS):
		return e.WithFix("mount the disk for writing, or set GROOVE_HOME to a folder on another one")
	case errors.Is(cause, syscall.ENOSPC), errors.Is(cause, syscall.EDQUOT):
		e.Kind = groove.KindStoreFull
		return e.WithFix("free space on the disk that holds " + path)
	}
	return e.WithFix("chmod 700 " + path + ", or set GROOVE_HOME to a folder of your own")
}
